-- The read model in SQLite. Everything here is derived from blocks. Times are microseconds since 1970 UTC; "tx" is txs.no,
-- "pos" the record's place in its transaction, "block" where the row comes from. Numbers are given in the order of the
-- ledger, so that two copies of one ledger are equal row by row. Long texts are found by the first eight bytes of a digest
-- (key8, hash8, name8): an index on those is a tenth the size of one on the text.

CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), height INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
INSERT INTO position VALUES (1, 0, zeroblob(32));

CREATE TABLE txs (no INTEGER PRIMARY KEY, id TEXT NOT NULL, member TEXT NOT NULL, time TEXT NOT NULL, block INTEGER NOT NULL) STRICT;

CREATE TABLE items (id INTEGER PRIMARY KEY, key8 INTEGER NOT NULL, key TEXT NOT NULL, tx INTEGER NOT NULL, pos INTEGER NOT NULL,
  block INTEGER NOT NULL) STRICT;
CREATE INDEX items_key ON items (key8);

-- body is the event as EPCIS JSON; notes are findings and evidence as JSON, or NULL; void is the tx that declared it wrong, or 0.
CREATE TABLE events (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, hash8 INTEGER NOT NULL, name8 INTEGER, tx INTEGER NOT NULL,
  pos INTEGER NOT NULL, block INTEGER NOT NULL, void INTEGER NOT NULL DEFAULT 0, notes BLOB, body BLOB NOT NULL) STRICT;
CREATE INDEX events_hash ON events (hash8);
CREATE INDEX events_name ON events (name8) WHERE name8 IS NOT NULL;

-- process: 0 none; positive, the event itself; negative, minus processes.id.
CREATE TABLE uses (item INTEGER NOT NULL, time INTEGER NOT NULL, event INTEGER NOT NULL, role INTEGER NOT NULL, process INTEGER NOT NULL,
  void INTEGER NOT NULL DEFAULT 0, block INTEGER NOT NULL, PRIMARY KEY (item, time, event, role)) STRICT, WITHOUT ROWID;
CREATE INDEX uses_process ON uses (process, time, event, item, role, void) WHERE process <> 0;
CREATE TABLE processes (id INTEGER PRIMARY KEY, key8 INTEGER NOT NULL, key TEXT NOT NULL, block INTEGER NOT NULL) STRICT;
CREATE INDEX processes_key ON processes (key8);

-- child 0: all children of the parent (a DELETE that lists none). action: 65 ADD, 79 OBSERVE, 68 DELETE.
CREATE TABLE containments (parent INTEGER NOT NULL, child INTEGER NOT NULL, time INTEGER NOT NULL, event INTEGER NOT NULL,
  action INTEGER NOT NULL, void INTEGER NOT NULL DEFAULT 0, block INTEGER NOT NULL, PRIMARY KEY (parent, child, time, event)) STRICT, WITHOUT ROWID;
CREATE INDEX containments_child ON containments (child, time, event, action, void) WHERE child <> 0;

CREATE TABLE memberships (instance INTEGER NOT NULL, lot INTEGER NOT NULL, event INTEGER NOT NULL, void INTEGER NOT NULL DEFAULT 0,
  block INTEGER NOT NULL, PRIMARY KEY (instance, lot, event)) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_lot ON memberships (lot, void);

-- body of an act is its record as JSON.
CREATE TABLE inspections (no INTEGER PRIMARY KEY, id TEXT NOT NULL, item INTEGER NOT NULL, body BLOB NOT NULL, tx INTEGER NOT NULL,
  pos INTEGER NOT NULL, block INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX inspections_id ON inspections (id);
CREATE INDEX inspections_item ON inspections (item);

-- released: tx of the release, 0 while in force.
CREATE TABLE holds (no INTEGER PRIMARY KEY, id TEXT NOT NULL, item INTEGER NOT NULL, body BLOB NOT NULL, tx INTEGER NOT NULL,
  pos INTEGER NOT NULL, block INTEGER NOT NULL, released INTEGER NOT NULL DEFAULT 0, release_pos INTEGER NOT NULL DEFAULT 0,
  release BLOB) STRICT;
CREATE UNIQUE INDEX holds_id ON holds (id);
CREATE INDEX holds_item ON holds (item);

CREATE TABLE violations (no INTEGER PRIMARY KEY, hash BLOB NOT NULL, holds TEXT NOT NULL, items TEXT NOT NULL, body BLOB NOT NULL,
  tx INTEGER NOT NULL, pos INTEGER NOT NULL, block INTEGER NOT NULL) STRICT;
CREATE TABLE violation_items (item INTEGER NOT NULL, violation INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (item, violation)) STRICT, WITHOUT ROWID;
CREATE TABLE violation_holds (hold TEXT NOT NULL, violation INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (hold, violation)) STRICT, WITHOUT ROWID;

-- kind: member, product, site. The last registration counts. name: to search in, both languages.
CREATE TABLE masters (kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (sha256 TEXT PRIMARY KEY, body BLOB NOT NULL, block INTEGER NOT NULL) STRICT, WITHOUT ROWID;
