-- The read model in PostgreSQL. Columns mean what those of the same name in ../../sqlite/schema.sql mean. Texts are compared by
-- their bytes, whatever the database's own order is. Keys of items are found by a digest (key8), as a B-tree takes no key longer
-- than 2,704 bytes. A migration that changes what Apply writes empties all tables and sets the position to 0: the ledger fills
-- them again.

-- +goose Up
CREATE TABLE position (one integer PRIMARY KEY CHECK (one = 1), height bigint NOT NULL, hash bytea NOT NULL);
INSERT INTO position VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE TABLE txs (no bigint PRIMARY KEY, id text COLLATE "C" NOT NULL, member text COLLATE "C" NOT NULL, time text COLLATE "C" NOT NULL,
  block bigint NOT NULL);

CREATE TABLE items (id bigint PRIMARY KEY, key8 bigint NOT NULL, key text COLLATE "C" NOT NULL, tx bigint NOT NULL, pos integer NOT NULL,
  block bigint NOT NULL);
CREATE INDEX items_key ON items (key8);

CREATE TABLE events (id bigint PRIMARY KEY, hash bytea NOT NULL, hash8 bigint NOT NULL, name8 bigint, tx bigint NOT NULL, pos integer NOT NULL,
  block bigint NOT NULL, void bigint NOT NULL DEFAULT 0, notes bytea, body bytea NOT NULL);
CREATE INDEX events_hash ON events (hash8);
CREATE INDEX events_name ON events (name8) WHERE name8 IS NOT NULL;
CREATE INDEX events_void ON events (void) WHERE void <> 0;

-- The primary keys of the three tables of the graph begin with the event: a gateway that follows reads what is new by it.
CREATE TABLE uses (item bigint NOT NULL, time bigint NOT NULL, event bigint NOT NULL, role smallint NOT NULL, process bigint NOT NULL,
  void smallint NOT NULL DEFAULT 0, block bigint NOT NULL, PRIMARY KEY (event, item, role));
CREATE INDEX uses_item ON uses (item, time, event, role);
CREATE INDEX uses_process ON uses (process) WHERE process <> 0;

CREATE TABLE processes (id bigint PRIMARY KEY, key8 bigint NOT NULL, key text COLLATE "C" NOT NULL, block bigint NOT NULL);
CREATE INDEX processes_key ON processes (key8);

CREATE TABLE containments (parent bigint NOT NULL, child bigint NOT NULL, time bigint NOT NULL, event bigint NOT NULL, action smallint NOT NULL,
  void smallint NOT NULL DEFAULT 0, block bigint NOT NULL, PRIMARY KEY (event, parent, child));
CREATE INDEX containments_parent ON containments (parent, child, time, event);
CREATE INDEX containments_child ON containments (child) WHERE child <> 0;

CREATE TABLE memberships (instance bigint NOT NULL, lot bigint NOT NULL, event bigint NOT NULL, void smallint NOT NULL DEFAULT 0,
  block bigint NOT NULL, PRIMARY KEY (event, instance, lot));
CREATE INDEX memberships_instance ON memberships (instance, lot, event);
CREATE INDEX memberships_lot ON memberships (lot);

CREATE TABLE inspections (no bigint PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE, item bigint NOT NULL, body bytea NOT NULL, tx bigint NOT NULL,
  pos integer NOT NULL, block bigint NOT NULL);
CREATE INDEX inspections_item ON inspections (item);

CREATE TABLE holds (no bigint PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE, item bigint NOT NULL, body bytea NOT NULL, tx bigint NOT NULL,
  pos integer NOT NULL, block bigint NOT NULL, released bigint NOT NULL DEFAULT 0, release_pos integer NOT NULL DEFAULT 0, release bytea);
CREATE INDEX holds_item ON holds (item);

CREATE TABLE violations (no bigint PRIMARY KEY, hash bytea NOT NULL, holds text NOT NULL, items text NOT NULL, body bytea NOT NULL,
  tx bigint NOT NULL, pos integer NOT NULL, block bigint NOT NULL);
CREATE TABLE violation_items (item bigint NOT NULL, violation bigint NOT NULL, block bigint NOT NULL, PRIMARY KEY (item, violation));
CREATE TABLE violation_holds (hold text COLLATE "C" NOT NULL, violation bigint NOT NULL, block bigint NOT NULL, PRIMARY KEY (hold, violation));

CREATE TABLE masters (kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, body bytea NOT NULL,
  block bigint NOT NULL, PRIMARY KEY (kind, id));

CREATE TABLE evidence (sha256 text COLLATE "C" PRIMARY KEY, body bytea NOT NULL, block bigint NOT NULL);
