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

-- body is the event as EPCIS JSON; notes are findings and evidence as JSON, or NULL; void is the tx that declared it wrong, or 0. declares is the
-- event that this one, an error declaration, declares wrong, or 0: it says nothing else, so it is found by queries only.
CREATE TABLE events (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, hash8 INTEGER NOT NULL, name8 INTEGER, tx INTEGER NOT NULL,
  pos INTEGER NOT NULL, block INTEGER NOT NULL, void INTEGER NOT NULL DEFAULT 0, declares INTEGER NOT NULL DEFAULT 0, notes BLOB, body BLOB NOT NULL) STRICT;
CREATE INDEX events_hash ON events (hash8);
CREATE INDEX events_name ON events (name8) WHERE name8 IS NOT NULL;
CREATE INDEX events_declares ON events (declares) WHERE declares <> 0;

-- A setting is what many events have in common: who sent them, what kind they are and where they happened, as canonical keys. There are as many as
-- there are kinds of work at places, so what queries ask of events most is asked of a few settings. key holds all of it, and sources and
-- destinations. declared 1: events with an error declaration.
CREATE TABLE settings (id INTEGER PRIMARY KEY, key8 INTEGER NOT NULL, key TEXT NOT NULL, member TEXT NOT NULL, type TEXT NOT NULL, action TEXT NOT NULL,
  step TEXT NOT NULL, disposition TEXT NOT NULL, read_point TEXT NOT NULL, location TEXT NOT NULL, declared INTEGER NOT NULL, block INTEGER NOT NULL) STRICT;
CREATE INDEX settings_key ON settings (key8);
CREATE INDEX settings_member ON settings (member);
CREATE INDEX settings_declared ON settings (id) WHERE declared = 1;
-- The places of a setting, numbered; party 1: as a source or destination.
CREATE TABLE setting_places (setting INTEGER NOT NULL, no INTEGER NOT NULL, place8 INTEGER NOT NULL, place TEXT NOT NULL, party INTEGER NOT NULL, block INTEGER NOT NULL,
  PRIMARY KEY (setting, no)) STRICT, WITHOUT ROWID;
CREATE INDEX setting_places_place ON setting_places (place8, setting);
-- Each event once more, without its body.
CREATE TABLE timeline (event INTEGER PRIMARY KEY, time INTEGER NOT NULL, setting INTEGER NOT NULL, block INTEGER NOT NULL) STRICT;
CREATE INDEX timeline_time ON timeline (time, event, setting);
CREATE INDEX timeline_setting ON timeline (setting, time, event);

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

-- kind: member, product, site. The last registration counts. name: to search in, both languages. owner: MSP ID, or empty.
CREATE TABLE masters (kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, body BLOB NOT NULL, block INTEGER NOT NULL,
  PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;
CREATE INDEX masters_owner ON masters (owner, kind) WHERE owner <> '';

CREATE TABLE evidence (sha256 TEXT PRIMARY KEY, body BLOB NOT NULL, block INTEGER NOT NULL) STRICT, WITHOUT ROWID;
