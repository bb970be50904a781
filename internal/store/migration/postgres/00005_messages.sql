-- +goose Up

-- Numbers that are given out in blocks, so that an answer can name what it
-- makes before it is durable.
CREATE TABLE sequence (
    name TEXT COLLATE "C" PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO sequence (name, next) VALUES ('message', 1), ('incoming', 1);

-- What one call sends. id is that of its first message, and those of the
-- others follow it; sealed holds lines, recipients and texts; state is 0, or 1
-- once it was cancelled.
CREATE TABLE batch (
    id       BIGINT PRIMARY KEY,
    account  TEXT COLLATE "C" NOT NULL,
    call     TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    expires  BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    once     BIGINT NOT NULL,
    count    BIGINT NOT NULL,
    price    BIGINT NOT NULL CHECK (price >= 0),
    state    BIGINT NOT NULL DEFAULT 0,
    sealed   BYTEA NOT NULL
);
CREATE INDEX batch_account ON batch (account, at);

-- number is the keyed hash of account and recipient.
CREATE TABLE message (
    id       BIGINT PRIMARY KEY,
    batch    BIGINT NOT NULL,
    number   BYTEA NOT NULL,
    state    BIGINT NOT NULL,
    parts    BIGINT NOT NULL,
    price    BIGINT NOT NULL,
    state_at BIGINT NOT NULL,
    operator TEXT COLLATE "C" NOT NULL DEFAULT '',
    doubt    BIGINT NOT NULL DEFAULT 0,
    sent_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX message_number ON message (number, id);

-- Parts that an operator accepted, under the first form of the id that it gave
-- (operator.Keys). state is 0 until the receipt that answers to it has come, and
-- then what that said. A part that was sent twice has two rows.
CREATE TABLE part (
    message  BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    operator TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    state    BIGINT NOT NULL DEFAULT 0,
    at       BIGINT NOT NULL,
    PRIMARY KEY (message, place, operator, name)
);
CREATE INDEX part_name ON part (name, operator);

-- Receipts for which no part is known: it may be known later. at is the
-- receipt's own time, came when it was stored; sealed holds the recipient.
CREATE TABLE stray (
    operator TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    state    BIGINT NOT NULL,
    came     BIGINT NOT NULL,
    sealed   BYTEA NOT NULL,
    PRIMARY KEY (operator, name, at, state)
);
CREATE INDEX stray_came ON stray (came);

-- Messages from phones. account is empty where nobody has the line; line is its
-- account.LineKey; sealed holds sender and text; sender is the keyed hash of
-- account and sender.
CREATE TABLE incoming (
    id      BIGINT PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    line    TEXT COLLATE "C" NOT NULL,
    sender  BYTEA NOT NULL,
    parts   BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    sealed  BYTEA NOT NULL
);
CREATE INDEX incoming_account ON incoming (account, id);

-- Parts of long messages from phones. joined is 1 once the message is in
-- incoming: such parts stay for a while, so that one that is brought again is
-- known for what it is. at is when the part was stored.
CREATE TABLE fragment (
    operator  TEXT COLLATE "C" NOT NULL,
    sender    BYTEA NOT NULL,
    line      TEXT COLLATE "C" NOT NULL,
    reference BIGINT NOT NULL,
    total     BIGINT NOT NULL,
    place     BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    joined    BIGINT NOT NULL DEFAULT 0,
    sealed    BYTEA NOT NULL,
    PRIMARY KEY (operator, sender, line, reference, total, place)
);
CREATE INDEX fragment_at ON fragment (at);

-- Work to be done: what of which kind, and from when on. Who takes a job moves
-- its due to when its lease ends, so that it is due again if they die: then
-- holder is still theirs, and the next finds it lapsed. What is done is gone.
CREATE TABLE job (
    kind     TEXT COLLATE "C" NOT NULL,
    ref      BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    attempt  BIGINT NOT NULL DEFAULT 0,
    lapsed   BIGINT NOT NULL DEFAULT 0,
    holder   TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (kind, ref)
);
CREATE INDEX job_due ON job (kind, priority, due);

-- Recipients that get nothing from a line: number is the keyed hash of line and
-- recipient; line is its account.LineKey. source says whose wish it is:
-- operator or recipient.
CREATE TABLE block (
    number BYTEA PRIMARY KEY,
    line   TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL
);
INSERT INTO version (kind, number) VALUES ('blocks', 1);

-- What an account spent on messages in a day of Tehran, where that is bounded;
-- day counts from 1970, line is empty or an account.LineKey.
CREATE TABLE spent (
    account  TEXT COLLATE "C" NOT NULL,
    line     TEXT COLLATE "C" NOT NULL,
    day      BIGINT NOT NULL,
    amount   BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    PRIMARY KEY (account, line, day)
);

CREATE TABLE template (
    id       TEXT COLLATE "C" PRIMARY KEY,
    account  TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    place    BIGINT NOT NULL,
    line     TEXT COLLATE "C" NOT NULL,
    urgent   BIGINT NOT NULL,
    once     BIGINT NOT NULL,
    body     TEXT COLLATE "C" NOT NULL
);

CREATE TABLE api_key (
    id           TEXT COLLATE "C" PRIMARY KEY,
    account      TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    place        BIGINT NOT NULL,
    key_hash     BYTEA NOT NULL UNIQUE,
    disabled     BIGINT NOT NULL
);

CREATE TABLE account_price (
    account TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    service TEXT COLLATE "C" NOT NULL,
    amount  BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (account, service)
);

-- query_login: calls may carry name and password in their address. The bounds
-- are of messages: rials in a day, and messages in an hour to one number and to
-- numbers of one prefix; 0 is the installation's own, below 0 is none.
ALTER TABLE account ADD COLUMN query_login BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN spend_day BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN number_hour BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN prefix_hour BIGINT NOT NULL DEFAULT 0;

-- Quiet hours are minutes of the day in Tehran; the same twice is none. day_limit
-- is messages in a day; 0 is any number.
ALTER TABLE line ADD COLUMN quiet_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line ADD COLUMN quiet_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line ADD COLUMN day_limit BIGINT NOT NULL DEFAULT 0;

-- Where customers hear of what happens. sealed holds the address and the
-- secrets; events are their names with commas between; failing_since is when the
-- first of so many failures in a row came, or 0.
CREATE TABLE webhook (
    id            TEXT COLLATE "C" PRIMARY KEY,
    account       TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    events        TEXT COLLATE "C" NOT NULL,
    with_text     BIGINT NOT NULL,
    disabled      BIGINT NOT NULL,
    failing_since BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    sealed        BYTEA NOT NULL
);
CREATE INDEX webhook_account ON webhook (account);
INSERT INTO version (kind, number) VALUES ('webhooks', 1);

-- One event for one webhook. ref is a message or an incoming message; outcome
-- is 0 while it is to be sent, 1 when it arrived, 2 when it was given up. Its
-- jobs are of a kind for each webhook, so that one cannot keep another waiting.
CREATE TABLE notice (
    id       BIGINT PRIMARY KEY,
    webhook  TEXT COLLATE "C" NOT NULL,
    event    TEXT COLLATE "C" NOT NULL,
    ref      BIGINT NOT NULL,
    state    BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    outcome  BIGINT NOT NULL DEFAULT 0,
    status   BIGINT NOT NULL DEFAULT 0,
    tried_at BIGINT NOT NULL DEFAULT 0,
    note     TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX notice_webhook ON notice (webhook, id);
