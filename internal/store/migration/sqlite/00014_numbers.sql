-- +goose Up

-- An index of hashes alone is written all over with each message. This one has
-- the messages of a stretch of ids together (spanLength in sent.go), so that what
-- is written stays on a few pages whatever was sent before; who looks for a number
-- asks every stretch. Half of a hash is enough to tell the numbers apart.
DROP INDEX message_number;
UPDATE message SET number = substr(number, 1, 16);
UPDATE incoming SET sender = substr(sender, 1, 16);
CREATE INDEX message_number ON message ((id / 1024), number);
