-- +goose Up

-- Every entry names the other side. What the house owes and owns stands in a
-- table of its own, so that all balances together are always 0.
ALTER TABLE entry ADD COLUMN contra TEXT COLLATE "C" NOT NULL DEFAULT 'house/revenue';
UPDATE entry SET contra = 'house/cash' WHERE kind = 'opening';

CREATE TABLE house (
    name    TEXT COLLATE "C" PRIMARY KEY,
    balance BIGINT NOT NULL
);
INSERT INTO house (name, balance)
SELECT side.name, coalesce((SELECT -sum(amount) FROM entry WHERE contra = side.name), 0)
FROM (VALUES ('house/cash'), ('house/revenue'), ('house/held'), ('house/correction')) AS side (name);

-- Who holds this row may make the ledger and the trail longer.
ALTER TABLE audit_head ADD COLUMN entry_seq BIGINT NOT NULL DEFAULT 0;
UPDATE audit_head SET entry_seq = (SELECT coalesce(max(seq), 0) FROM entry);

-- Why an operator moved money: id is the entry's call, refers the call whose
-- charge was given back.
CREATE TABLE operation (
    id     TEXT COLLATE "C" PRIMARY KEY,
    actor  TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    refers TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL
);
CREATE INDEX operation_refers ON operation (refers);

-- Calls that went outside and have not come back: what they hold of a wallet,
-- until when, and what a record of them needs. answer is the id of a row of
-- answer, or nothing.
CREATE TABLE reservation (
    call     TEXT COLLATE "C" PRIMARY KEY,
    account  TEXT COLLATE "C" NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    at       BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    dialect  TEXT COLLATE "C" NOT NULL,
    service  TEXT COLLATE "C" NOT NULL,
    method   TEXT COLLATE "C" NOT NULL,
    peer     TEXT COLLATE "C" NOT NULL,
    subject  BYTEA NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    answer   BYTEA NOT NULL
);
CREATE INDEX reservation_deadline ON reservation (deadline);

-- What was answered under an idempotency key: id is the hash of account, route
-- and key; body the hash of what was asked; sealed is empty while the call is
-- outside, and after an erasure.
CREATE TABLE answer (
    id     BYTEA PRIMARY KEY,
    call   TEXT COLLATE "C" NOT NULL,
    body   BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    at     BIGINT NOT NULL,
    open   BIGINT NOT NULL
);
CREATE INDEX answer_at ON answer (at);

-- A number rises with each change of a kind of thing that nodes keep in memory.
CREATE TABLE version (
    kind   TEXT COLLATE "C" PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO version (kind, number) VALUES ('accounts', 1), ('families', 1), ('world', 1);

-- Periodic work belongs to whoever holds its lease.
CREATE TABLE lease (
    name   TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    ends   BIGINT NOT NULL
);

CREATE TABLE node (
    id   TEXT COLLATE "C" PRIMARY KEY,
    seen BIGINT NOT NULL
);
