-- +goose Up

-- The newest movements of a kind of an account, however many others it has. What
-- calls take is left out: an index of these would be written with each call, and
-- they are found by their calls, whose ids rise with time.
CREATE INDEX entry_kind ON entry (account, kind, at, seq) WHERE kind <> 'charge' AND kind <> 'reserve' AND kind <> 'settle';
