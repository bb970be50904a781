-- +goose Up

-- Whose rows of the register were changed, by the number of the version of people
-- that the change made. A number without rows is a change of many: anybody's.
CREATE TABLE person_change (
    number INTEGER NOT NULL,
    id     INTEGER NOT NULL,
    PRIMARY KEY (number, id)
) STRICT, WITHOUT ROWID;
