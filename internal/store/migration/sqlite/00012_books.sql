-- +goose Up

-- What each commit changes is on as few pages as may be. The house's balances
-- move with the head, and are in its row.
ALTER TABLE audit_head ADD COLUMN cash INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN revenue INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN correction INTEGER NOT NULL DEFAULT 0;
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

-- The ledger: never changed, only added to. The key makes closing a call twice
-- harmless and reads an account's history in the order of its calls, where call
-- ids rise with time. It is the table's only order, so that a movement is
-- written once.
CREATE TABLE movement (
    seq     INTEGER NOT NULL,
    call    TEXT NOT NULL,
    account TEXT NOT NULL,
    kind    TEXT NOT NULL,
    amount  INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    at      INTEGER NOT NULL,
    contra  TEXT NOT NULL DEFAULT 'house/revenue',
    PRIMARY KEY (account, call, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO movement (seq, call, account, kind, amount, balance, at, contra)
SELECT seq, call, account, kind, amount, balance, at, contra FROM entry ORDER BY account, call, kind;
DROP TABLE entry;
ALTER TABLE movement RENAME TO entry;
