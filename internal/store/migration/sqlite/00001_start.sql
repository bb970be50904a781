-- +goose Up

-- The keyring's own parts and other secrets, each sealed.
CREATE TABLE secret (
    name   TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE price (
    service TEXT PRIMARY KEY,
    amount  INTEGER NOT NULL CHECK (amount >= 0)
) STRICT;

CREATE TABLE domain (
    name       TEXT PRIMARY KEY,
    is_default INTEGER NOT NULL
) STRICT;

-- name_hash is the keyed hash of domain and user name, so that the name is
-- unique without standing here in the clear; names and password hashes are
-- inside sealed.
CREATE TABLE account (
    id         TEXT PRIMARY KEY,
    number     INTEGER NOT NULL UNIQUE,
    domain     TEXT NOT NULL REFERENCES domain (name),
    name_hash  BLOB NOT NULL UNIQUE,
    disabled   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    token_days INTEGER NOT NULL,
    rate       INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    sealed     BLOB NOT NULL
) STRICT;

CREATE TABLE line (
    account   TEXT NOT NULL REFERENCES account (id),
    place     INTEGER NOT NULL,
    number    TEXT NOT NULL,
    suspended INTEGER NOT NULL,
    PRIMARY KEY (account, place)
) STRICT;

CREATE TABLE client (
    id             TEXT PRIMARY KEY,
    account        TEXT NOT NULL REFERENCES account (id),
    place          INTEGER NOT NULL,
    secret_hash    BLOB NOT NULL,
    password_grant INTEGER NOT NULL
) STRICT;

CREATE TABLE business (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES account (id),
    place      INTEGER NOT NULL,
    token_hash BLOB NOT NULL
) STRICT;

CREATE TABLE wallet (
    account TEXT PRIMARY KEY REFERENCES account (id),
    balance INTEGER NOT NULL CHECK (balance >= 0)
) STRICT;

-- The ledger: never changed, only added to. The unique key makes closing a
-- call twice harmless and reads an account's history in the order of its
-- calls, where call ids rise with time.
CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY,
    call    TEXT NOT NULL,
    account TEXT NOT NULL,
    kind    TEXT NOT NULL,
    amount  INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    at      INTEGER NOT NULL,
    UNIQUE (account, call, kind)
) STRICT;

-- The trail: seq rises by one from record to record, and each link is made over
-- the record and the link before (package audit). peer, subject and salt may be
-- blanked later; they enter the link through digest alone.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    call     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    took_us  INTEGER NOT NULL,
    dialect  TEXT NOT NULL,
    service  TEXT NOT NULL,
    method   TEXT NOT NULL,
    account  TEXT NOT NULL,
    peer     TEXT NOT NULL,
    outcome  TEXT NOT NULL,
    price    INTEGER NOT NULL,
    source   TEXT NOT NULL,
    subject  BLOB NOT NULL,
    document TEXT NOT NULL,
    salt     BLOB NOT NULL,
    digest   BLOB NOT NULL,
    link     BLOB NOT NULL
) STRICT;

-- One row: the last record's number and link, and what was erased.
CREATE TABLE audit_head (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    seq           INTEGER NOT NULL,
    link          BLOB NOT NULL,
    erased_before INTEGER NOT NULL,
    erased_mark   BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, link, erased_before, erased_mark) VALUES (1, 0, zeroblob(32), 0, zeroblob(0));

CREATE TABLE tally (
    minute  INTEGER NOT NULL,
    peer    TEXT NOT NULL,
    dialect TEXT NOT NULL,
    outcome TEXT NOT NULL,
    calls   INTEGER NOT NULL,
    PRIMARY KEY (minute, peer, dialect, outcome)
) STRICT;

-- A family without a row has never been used: its generation is 0.
CREATE TABLE refresh_family (
    family     TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    dead_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_family_expiry ON refresh_family (expires_at);

CREATE TABLE person (
    id     BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE report (
    id     TEXT PRIMARY KEY,
    person BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX report_person ON report (person);
