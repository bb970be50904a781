-- +goose Up

-- Numbers that are given out in blocks, so that an answer can name what it
-- makes before it is durable.
CREATE TABLE sequence (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT;
INSERT INTO sequence (name, next) VALUES ('message', 1), ('incoming', 1);

-- What one call sends. id is that of its first message, and those of the
-- others follow it; sealed holds lines, recipients and texts; state is 0, or 1
-- once it was cancelled.
CREATE TABLE batch (
    id       INTEGER PRIMARY KEY,
    account  TEXT NOT NULL,
    call     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    once     INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    price    INTEGER NOT NULL CHECK (price >= 0),
    state    INTEGER NOT NULL DEFAULT 0,
    sealed   BLOB NOT NULL
) STRICT;
CREATE INDEX batch_account ON batch (account, at);

-- number is the keyed hash of account and recipient.
CREATE TABLE message (
    id       INTEGER PRIMARY KEY,
    batch    INTEGER NOT NULL,
    number   BLOB NOT NULL,
    state    INTEGER NOT NULL,
    parts    INTEGER NOT NULL,
    price    INTEGER NOT NULL,
    state_at INTEGER NOT NULL,
    operator TEXT NOT NULL DEFAULT '',
    doubt    INTEGER NOT NULL DEFAULT 0,
    sent_at  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX message_number ON message (number, id);

-- Parts that an operator accepted, under the first form of the id that it gave
-- (operator.Keys). state is 0 until the receipt that answers to it has come, and
-- then what that said. A part that was sent twice has two rows.
CREATE TABLE part (
    message  INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    operator TEXT NOT NULL,
    name     TEXT NOT NULL,
    state    INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL,
    PRIMARY KEY (message, place, operator, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX part_name ON part (name, operator);

-- Receipts for which no part is known: it may be known later. at is the
-- receipt's own time, came when it was stored; sealed holds the recipient.
CREATE TABLE stray (
    operator TEXT NOT NULL,
    name     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    came     INTEGER NOT NULL,
    sealed   BLOB NOT NULL,
    PRIMARY KEY (operator, name, at, state)
) STRICT;
CREATE INDEX stray_came ON stray (came);

-- Messages from phones. account is empty where nobody has the line; line is its
-- account.LineKey; sealed holds sender and text; sender is the keyed hash of
-- account and sender.
CREATE TABLE incoming (
    id      INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    line    TEXT NOT NULL,
    sender  BLOB NOT NULL,
    parts   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    sealed  BLOB NOT NULL
) STRICT;
CREATE INDEX incoming_account ON incoming (account, id);

-- Parts of long messages from phones. joined is 1 once the message is in
-- incoming: such parts stay for a while, so that one that is brought again is
-- known for what it is. at is when the part was stored.
CREATE TABLE fragment (
    operator  TEXT NOT NULL,
    sender    BLOB NOT NULL,
    line      TEXT NOT NULL,
    reference INTEGER NOT NULL,
    total     INTEGER NOT NULL,
    place     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    joined    INTEGER NOT NULL DEFAULT 0,
    sealed    BLOB NOT NULL,
    PRIMARY KEY (operator, sender, line, reference, total, place)
) STRICT;
CREATE INDEX fragment_at ON fragment (at);

-- Work to be done: what of which kind, and from when on. Who takes a job moves
-- its due to when its lease ends, so that it is due again if they die: then
-- holder is still theirs, and the next finds it lapsed. What is done is gone.
CREATE TABLE job (
    kind     TEXT NOT NULL,
    ref      INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    attempt  INTEGER NOT NULL DEFAULT 0,
    lapsed   INTEGER NOT NULL DEFAULT 0,
    holder   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (kind, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_due ON job (kind, priority, due);

-- Recipients that get nothing from a line: number is the keyed hash of line and
-- recipient; line is its account.LineKey. source says whose wish it is:
-- operator or recipient.
CREATE TABLE block (
    number BLOB PRIMARY KEY,
    line   TEXT NOT NULL,
    source TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
INSERT INTO version (kind, number) VALUES ('blocks', 1);

-- What an account spent on messages in a day of Tehran, where that is bounded;
-- day counts from 1970, line is empty or an account.LineKey.
CREATE TABLE spent (
    account  TEXT NOT NULL,
    line     TEXT NOT NULL,
    day      INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (account, line, day)
) STRICT;

CREATE TABLE template (
    id       TEXT PRIMARY KEY,
    account  TEXT NOT NULL REFERENCES account (id),
    place    INTEGER NOT NULL,
    line     TEXT NOT NULL,
    urgent   INTEGER NOT NULL,
    once     INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;

CREATE TABLE api_key (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES account (id),
    place        INTEGER NOT NULL,
    key_hash     BLOB NOT NULL UNIQUE,
    disabled     INTEGER NOT NULL
) STRICT;

CREATE TABLE account_price (
    account TEXT NOT NULL REFERENCES account (id),
    service TEXT NOT NULL,
    amount  INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (account, service)
) STRICT;

-- query_login: calls may carry name and password in their address. The bounds
-- are of messages: rials in a day, and messages in an hour to one number and to
-- numbers of one prefix; 0 is the installation's own, below 0 is none.
ALTER TABLE account ADD COLUMN query_login INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN spend_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN number_hour INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN prefix_hour INTEGER NOT NULL DEFAULT 0;

-- Quiet hours are minutes of the day in Tehran; the same twice is none. day_limit
-- is messages in a day; 0 is any number.
ALTER TABLE line ADD COLUMN quiet_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE line ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE line ADD COLUMN day_limit INTEGER NOT NULL DEFAULT 0;

-- Where customers hear of what happens. sealed holds the address and the
-- secrets; events are their names with commas between; failing_since is when the
-- first of so many failures in a row came, or 0.
CREATE TABLE webhook (
    id            TEXT PRIMARY KEY,
    account       TEXT NOT NULL REFERENCES account (id),
    events        TEXT NOT NULL,
    with_text     INTEGER NOT NULL,
    disabled      INTEGER NOT NULL,
    failing_since INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    sealed        BLOB NOT NULL
) STRICT;
CREATE INDEX webhook_account ON webhook (account);
INSERT INTO version (kind, number) VALUES ('webhooks', 1);

-- One event for one webhook. ref is a message or an incoming message; outcome
-- is 0 while it is to be sent, 1 when it arrived, 2 when it was given up. Its
-- jobs are of a kind for each webhook, so that one cannot keep another waiting.
CREATE TABLE notice (
    id       INTEGER PRIMARY KEY,
    webhook  TEXT NOT NULL,
    event    TEXT NOT NULL,
    ref      INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome  INTEGER NOT NULL DEFAULT 0,
    status   INTEGER NOT NULL DEFAULT 0,
    tried_at INTEGER NOT NULL DEFAULT 0,
    note     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX notice_webhook ON notice (webhook, id);
