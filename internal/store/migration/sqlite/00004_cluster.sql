-- +goose Up

-- death is the number of the version of families at which the family died, so
-- that nodes read those that are new to them, whatever the clocks say; 0 where
-- it lives or the number is not known.
ALTER TABLE refresh_family ADD COLUMN death INTEGER NOT NULL DEFAULT 0;
CREATE INDEX refresh_family_death ON refresh_family (death) WHERE dead_at <> 0;
