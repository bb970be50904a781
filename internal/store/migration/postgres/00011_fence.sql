-- +goose Up

-- Whoever has raised this number can be sure that a transaction is not done any
-- more that was sent before, and asks for the number as it was.
ALTER TABLE audit_head ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
