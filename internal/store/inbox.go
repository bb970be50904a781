package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

// PutIncoming puts messages into the inboxes of those who have the lines, as if
// phones had sent them; webhooks hear nothing of it. Ids are given, and parts
// are counted.
func (s *Store) PutIncoming(ctx context.Context, messages []sms.Incoming) error {
	return s.write(ctx, "put incoming messages", func(tx *sql.Tx) error {
		for i := range messages {
			var owner string
			err := tx.QueryRow(lineOwner, account.LineKey(messages[i].Line)).Scan(&owner)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if _, err := s.putIncoming(tx, owner, messages[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// putIncoming gives the message an id.
func (s *Store) putIncoming(tx *sql.Tx, owner string, m sms.Incoming) (int64, error) {
	line, sender := account.LineKey(m.Line), Sender(m.Sender)
	if err := named(line); err != nil {
		return 0, err
	}
	id, err := advance(tx, "incoming", 1)
	if err != nil {
		return 0, err
	}
	sealed, err := sealIncoming(s.keys, id, sender, m.Text)
	if err != nil {
		return 0, err
	}
	_, m.Parts = sms.Count(m.Text)
	var readAt int64
	if m.Read {
		readAt = micros(m.At)
	}
	_, err = tx.Exec(`INSERT INTO incoming (id, account, line, sender, parts, at, read_at, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, owner, line, hashNumber(s.keys, owner, sender), m.Parts, micros(m.At), readAt, sealed)
	return id, err
}

// AddIncoming puts a message into the inbox of who has the line, as if a phone
// had sent it, and has their webhooks hear of it. The id is given.
func (c *Change) AddIncoming(m sms.Incoming) (id int64, err error) {
	owner, err := c.LineOwner(m.Line)
	if err != nil {
		return 0, err
	}
	if id, err = c.store.putIncoming(c.tx, owner, m); err != nil {
		return 0, fmt.Errorf("store an incoming message: %w", err)
	}
	hooks, err := readWebhooks(c.ctx, c.tx, c.store.keys, `account = $1`, owner)
	if err != nil {
		return 0, err
	}
	for _, w := range hooks {
		if w.Disabled || !slices.Contains(w.Events, webhook.Received) {
			continue
		}
		if _, err := c.store.putNotice(c.tx, w.ID, webhook.Notice{Event: webhook.Received, Ref: id, At: m.At}); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// HasIncoming tells whether the same sender sent the same text to the line.
func (c *Change) HasIncoming(m sms.Incoming) (there bool, err error) {
	owner, err := c.LineOwner(m.Line)
	if err != nil {
		return false, err
	}
	rows, err := c.tx.QueryContext(c.ctx, `SELECT id, line, parts, at, read_at, repeated, sealed FROM incoming WHERE account = $1 AND line = $2 AND sender = $3`,
		owner, account.LineKey(m.Line), hashNumber(c.store.keys, owner, Sender(m.Sender)))
	if err != nil {
		return false, fmt.Errorf("look for an incoming message: %w", err)
	}
	err = scan(rows, func(into func(...any) error) error {
		old, err := c.store.readIncoming(into)
		there = there || err == nil && old.Text == m.Text
		return err
	})
	return there, err
}
