-- +goose Up

ALTER TABLE domain ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;

-- key is account.LineKey of number: no two lines answer to one number.
ALTER TABLE line ADD COLUMN key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE line SET key = CASE
    WHEN substr(number, 1, 4) = '0098' AND length(number) >= 8 THEN substr(number, 5)
    WHEN substr(number, 1, 2) = '98' AND length(number) >= 6 THEN substr(number, 3)
    ELSE number END;
CREATE UNIQUE INDEX line_key ON line (key);

-- What a credential's secret was before it was changed is good until
-- former_until; empty where there is none.
ALTER TABLE client ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN former_hash BYTEA NOT NULL DEFAULT '';
ALTER TABLE client ADD COLUMN former_until BIGINT NOT NULL DEFAULT 0;

ALTER TABLE business ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE business ADD COLUMN former_hash BYTEA NOT NULL DEFAULT '';
ALTER TABLE business ADD COLUMN former_until BIGINT NOT NULL DEFAULT 0;
