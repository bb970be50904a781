-- +goose Up

-- Every entry names the other side. What the house owes and owns stands in a
-- table of its own, so that all balances together are always 0.
ALTER TABLE entry ADD COLUMN contra TEXT NOT NULL DEFAULT 'house/revenue';
UPDATE entry SET contra = 'house/cash' WHERE kind = 'opening';

CREATE TABLE house (
    name    TEXT PRIMARY KEY,
    balance INTEGER NOT NULL
) STRICT;
INSERT INTO house (name, balance)
SELECT column1, coalesce((SELECT -sum(amount) FROM entry WHERE contra = column1), 0)
FROM (VALUES ('house/cash'), ('house/revenue'), ('house/held'), ('house/correction'));

-- Who holds this row may make the ledger and the trail longer.
ALTER TABLE audit_head ADD COLUMN entry_seq INTEGER NOT NULL DEFAULT 0;
UPDATE audit_head SET entry_seq = (SELECT coalesce(max(seq), 0) FROM entry);

-- Why an operator moved money: id is the entry's call, refers the call whose
-- charge was given back.
CREATE TABLE operation (
    id     TEXT PRIMARY KEY,
    actor  TEXT NOT NULL,
    reason TEXT NOT NULL,
    refers TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_refers ON operation (refers);

-- Calls that went outside and have not come back: what they hold of a wallet,
-- until when, and what a record of them needs. answer is the id of a row of
-- answer, or nothing.
CREATE TABLE reservation (
    call     TEXT PRIMARY KEY,
    account  TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    at       INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    dialect  TEXT NOT NULL,
    service  TEXT NOT NULL,
    method   TEXT NOT NULL,
    peer     TEXT NOT NULL,
    subject  BLOB NOT NULL,
    document TEXT NOT NULL,
    answer   BLOB NOT NULL
) STRICT;
CREATE INDEX reservation_deadline ON reservation (deadline);

-- What was answered under an idempotency key: id is the hash of account, route
-- and key; body the hash of what was asked; sealed is empty while the call is
-- outside, and after an erasure.
CREATE TABLE answer (
    id     BLOB PRIMARY KEY,
    call   TEXT NOT NULL,
    body   BLOB NOT NULL,
    sealed BLOB NOT NULL,
    at     INTEGER NOT NULL,
    open   INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_at ON answer (at);

-- A number rises with each change of a kind of thing that nodes keep in memory.
CREATE TABLE version (
    kind   TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT;
INSERT INTO version (kind, number) VALUES ('accounts', 1), ('families', 1), ('world', 1);

-- Periodic work belongs to whoever holds its lease.
CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    ends   INTEGER NOT NULL
) STRICT;

CREATE TABLE node (
    id   TEXT PRIMARY KEY,
    seen INTEGER NOT NULL
) STRICT;
