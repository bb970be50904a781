-- +goose Up

-- What each commit changes is on as few pages as may be. The house's balances
-- move with the head, and are in its row.
ALTER TABLE audit_head ADD COLUMN cash BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN revenue BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN correction BIGINT NOT NULL DEFAULT 0;
UPDATE audit_head SET
    cash = (SELECT balance FROM house WHERE name = 'house/cash'),
    revenue = (SELECT balance FROM house WHERE name = 'house/revenue'),
    held = (SELECT balance FROM house WHERE name = 'house/held'),
    correction = (SELECT balance FROM house WHERE name = 'house/correction');
DROP TABLE house;
CREATE VIEW house (name, balance) AS
    SELECT 'house/cash', cash FROM audit_head UNION ALL
    SELECT 'house/revenue', revenue FROM audit_head UNION ALL
    SELECT 'house/held', held FROM audit_head UNION ALL
    SELECT 'house/correction', correction FROM audit_head;

-- The key of a movement is what makes it one: the account, the call and the
-- kind. The index of numbers stays, other than on SQLite: the newest movements
-- of a busy account are found by it, and here it costs next to nothing.
ALTER TABLE entry DROP CONSTRAINT entry_pkey;
ALTER TABLE entry DROP CONSTRAINT entry_account_call_kind_key;
ALTER TABLE entry ADD PRIMARY KEY (account, call, kind);
CREATE UNIQUE INDEX entry_seq ON entry (seq);
