-- What event queries look up: see ../../sqlite/schema.sql. The ledger fills the tables again.

-- +goose Up
TRUNCATE txs, items, events, uses, processes, containments, memberships, inspections, holds, violations, violation_items, violation_holds, masters, evidence;
UPDATE position SET height = 0, hash = decode(repeat('00', 32), 'hex');

ALTER TABLE events ADD COLUMN declares bigint NOT NULL DEFAULT 0;
CREATE INDEX events_declares ON events (declares) WHERE declares <> 0;

ALTER TABLE masters ADD COLUMN owner text COLLATE "C" NOT NULL;
CREATE INDEX masters_owner ON masters (owner, kind) WHERE owner <> '';

CREATE TABLE settings (id bigint PRIMARY KEY, key8 bigint NOT NULL, key text COLLATE "C" NOT NULL, member text COLLATE "C" NOT NULL, type text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL, step text COLLATE "C" NOT NULL, disposition text COLLATE "C" NOT NULL, read_point text COLLATE "C" NOT NULL,
  location text COLLATE "C" NOT NULL, block bigint NOT NULL);
CREATE INDEX settings_key ON settings (key8);
CREATE INDEX settings_member ON settings (member);
CREATE TABLE setting_places (setting bigint NOT NULL, no integer NOT NULL, place8 bigint NOT NULL, place text COLLATE "C" NOT NULL, party smallint NOT NULL,
  block bigint NOT NULL, PRIMARY KEY (setting, no));
CREATE INDEX setting_places_place ON setting_places (place8, setting);
CREATE TABLE timeline (event bigint PRIMARY KEY, time bigint NOT NULL, setting bigint NOT NULL, block bigint NOT NULL);
CREATE INDEX timeline_time ON timeline (time, event, setting);
CREATE INDEX timeline_setting ON timeline (setting, time, event);
