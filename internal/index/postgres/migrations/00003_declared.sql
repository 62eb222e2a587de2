-- Settings say whether their events have an error declaration: see ../../sqlite/schema.sql. The ledger fills the tables again.

-- +goose Up
TRUNCATE txs, items, events, uses, processes, containments, memberships, inspections, holds, violations, violation_items, violation_holds, masters, evidence,
  settings, setting_places, timeline;
UPDATE position SET height = 0, hash = decode(repeat('00', 32), 'hex');

ALTER TABLE settings ADD COLUMN declared smallint NOT NULL;
CREATE INDEX settings_declared ON settings (id) WHERE declared = 1;
