-- +goose Up

-- Nodes keep people in memory, and forget them when this number rises.
INSERT INTO version (kind, number) VALUES ('people', 1) ON CONFLICT DO NOTHING;
