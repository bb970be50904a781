-- +goose Up

-- repeated is 1 where an operator may have brought the message before: the same
-- came over another bind within the hour. What came whole is known for that
-- long as its only part in fragment, by a hash in place of its reference.
ALTER TABLE incoming ADD COLUMN repeated BIGINT NOT NULL DEFAULT 0;
