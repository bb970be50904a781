-- +goose Up

-- Whose rows of the register were changed, by the number of the version of people
-- that the change made. A number without rows is a change of many: anybody's.
CREATE TABLE person_change (
    number BIGINT NOT NULL,
    id     BIGINT NOT NULL,
    PRIMARY KEY (number, id)
);
