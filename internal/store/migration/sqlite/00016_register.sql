-- +goose Up

-- A row is numbered by the first half of the keyed hash, so that it is reached
-- without an index beside the table. The other half tells whose row it is.
CREATE TABLE register (
    id     INTEGER PRIMARY KEY,
    rest   BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
INSERT INTO register (id, rest, sealed) SELECT
    (instr('123456789ABCDEF', substr(hex(id), 1, 1)) << 60) |
    (instr('123456789ABCDEF', substr(hex(id), 2, 1)) << 56) |
    (instr('123456789ABCDEF', substr(hex(id), 3, 1)) << 52) |
    (instr('123456789ABCDEF', substr(hex(id), 4, 1)) << 48) |
    (instr('123456789ABCDEF', substr(hex(id), 5, 1)) << 44) |
    (instr('123456789ABCDEF', substr(hex(id), 6, 1)) << 40) |
    (instr('123456789ABCDEF', substr(hex(id), 7, 1)) << 36) |
    (instr('123456789ABCDEF', substr(hex(id), 8, 1)) << 32) |
    (instr('123456789ABCDEF', substr(hex(id), 9, 1)) << 28) |
    (instr('123456789ABCDEF', substr(hex(id), 10, 1)) << 24) |
    (instr('123456789ABCDEF', substr(hex(id), 11, 1)) << 20) |
    (instr('123456789ABCDEF', substr(hex(id), 12, 1)) << 16) |
    (instr('123456789ABCDEF', substr(hex(id), 13, 1)) << 12) |
    (instr('123456789ABCDEF', substr(hex(id), 14, 1)) << 8) |
    (instr('123456789ABCDEF', substr(hex(id), 15, 1)) << 4) |
    (instr('123456789ABCDEF', substr(hex(id), 16, 1)) << 0),
    substr(id, 9), sealed FROM person ORDER BY id;
DROP TABLE person;
ALTER TABLE register RENAME TO person;
