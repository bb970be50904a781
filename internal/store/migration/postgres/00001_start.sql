-- +goose Up

-- The keyring's own parts and other secrets, each sealed.
CREATE TABLE secret (
    name   TEXT COLLATE "C" PRIMARY KEY,
    sealed BYTEA NOT NULL
);

CREATE TABLE setting (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE price (
    service TEXT COLLATE "C" PRIMARY KEY,
    amount  BIGINT NOT NULL CHECK (amount >= 0)
);

CREATE TABLE domain (
    name       TEXT COLLATE "C" PRIMARY KEY,
    is_default BIGINT NOT NULL
);

-- name_hash is the keyed hash of domain and user name, so that the name is
-- unique without standing here in the clear; names and password hashes are
-- inside sealed.
CREATE TABLE account (
    id         TEXT COLLATE "C" PRIMARY KEY,
    number     BIGINT NOT NULL UNIQUE,
    domain     TEXT COLLATE "C" NOT NULL REFERENCES domain (name),
    name_hash  BYTEA NOT NULL UNIQUE,
    disabled   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    token_days BIGINT NOT NULL,
    rate       BIGINT NOT NULL,
    epoch      BIGINT NOT NULL,
    sealed     BYTEA NOT NULL
);

CREATE TABLE line (
    account   TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    place     BIGINT NOT NULL,
    number    TEXT COLLATE "C" NOT NULL,
    suspended BIGINT NOT NULL,
    PRIMARY KEY (account, place)
);

CREATE TABLE client (
    id             TEXT COLLATE "C" PRIMARY KEY,
    account        TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    place          BIGINT NOT NULL,
    secret_hash    BYTEA NOT NULL,
    password_grant BIGINT NOT NULL
);

CREATE TABLE business (
    id         TEXT COLLATE "C" PRIMARY KEY,
    account    TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    place      BIGINT NOT NULL,
    token_hash BYTEA NOT NULL
);

CREATE TABLE wallet (
    account TEXT COLLATE "C" PRIMARY KEY REFERENCES account (id),
    balance BIGINT NOT NULL CHECK (balance >= 0)
);

-- The ledger: never changed, only added to. The unique key makes closing a
-- call twice harmless and reads an account's history in the order of its
-- calls, where call ids rise with time.
CREATE TABLE entry (
    seq     BIGINT PRIMARY KEY,
    call    TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    amount  BIGINT NOT NULL,
    balance BIGINT NOT NULL CHECK (balance >= 0),
    at      BIGINT NOT NULL,
    UNIQUE (account, call, kind)
);

-- The trail: seq rises by one from record to record, and each link is made over
-- the record and the link before (package audit). peer, subject and salt may be
-- blanked later; they enter the link through digest alone.
CREATE TABLE audit (
    seq      BIGINT PRIMARY KEY,
    call     TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    took_us  BIGINT NOT NULL,
    dialect  TEXT COLLATE "C" NOT NULL,
    service  TEXT COLLATE "C" NOT NULL,
    method   TEXT COLLATE "C" NOT NULL,
    account  TEXT COLLATE "C" NOT NULL,
    peer     TEXT COLLATE "C" NOT NULL,
    outcome  TEXT COLLATE "C" NOT NULL,
    price    BIGINT NOT NULL,
    source   TEXT COLLATE "C" NOT NULL,
    subject  BYTEA NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    salt     BYTEA NOT NULL,
    digest   BYTEA NOT NULL,
    link     BYTEA NOT NULL
);

-- One row: the last record's number and link, and what was erased.
CREATE TABLE audit_head (
    id            BIGINT PRIMARY KEY CHECK (id = 1),
    seq           BIGINT NOT NULL,
    link          BYTEA NOT NULL,
    erased_before BIGINT NOT NULL,
    erased_mark   BYTEA NOT NULL
);
INSERT INTO audit_head (id, seq, link, erased_before, erased_mark) VALUES (1, 0, decode(repeat('00', 32), 'hex'), 0, '');

CREATE TABLE tally (
    minute  BIGINT NOT NULL,
    peer    TEXT COLLATE "C" NOT NULL,
    dialect TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    calls   BIGINT NOT NULL,
    PRIMARY KEY (minute, peer, dialect, outcome)
);

-- A family without a row has never been used: its generation is 0.
CREATE TABLE refresh_family (
    family     TEXT COLLATE "C" PRIMARY KEY,
    generation BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    dead_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX refresh_family_expiry ON refresh_family (expires_at);

CREATE TABLE person (
    id     BYTEA PRIMARY KEY,
    sealed BYTEA NOT NULL
);

CREATE TABLE report (
    id     TEXT COLLATE "C" PRIMARY KEY,
    person BYTEA NOT NULL,
    sealed BYTEA NOT NULL
);
CREATE INDEX report_person ON report (person);
