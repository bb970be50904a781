-- +goose Up

-- capped is 1 where the batch was counted against what its account may spend in
-- a day: only then may its end take anything back from that count. Of batches
-- before this column nobody knows; theirs is not taken back.
ALTER TABLE batch ADD COLUMN capped INTEGER NOT NULL DEFAULT 0;
