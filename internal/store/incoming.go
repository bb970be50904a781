package store

import (
	"context"
	"fmt"
	"strconv"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/seal"
	"dargah.dev/dargah/internal/sms"
)

// Sender is how a phone that sent a message is printed and looked up: a mobile
// of this country as 09…, another one without spaces.
func Sender(from string) string {
	if m, err := persian.ParseMobile(from); err == nil {
		return m.Local()
	}
	return persian.Compact(from)
}

func sealedIncoming(id int64) string { return "incoming/" + strconv.FormatInt(id, 10) }

func sealIncoming(keys *seal.Keyring, id int64, sender, text string) ([]byte, error) {
	return keys.Seal(appendText(appendText(nil, sender), text), sealedIncoming(id))
}

func openIncoming(keys *seal.Keyring, m *sms.Incoming, sealed []byte) error {
	if len(sealed) == 0 {
		return nil // erased
	}
	plain, err := keys.Unseal(sealed, sealedIncoming(m.ID))
	if err != nil {
		return err
	}
	from := rowReader{rest: string(plain)}
	m.Sender, m.Text = from.text(), from.text()
	if from.short {
		return errRow
	}
	return nil
}

// Incoming gives messages from phones to an account's lines, the newest first.
func (s *Store) Incoming(ctx context.Context, q sms.Inbox) (all []sms.Incoming, err error) {
	var c conditions
	c.add(`i.account =`, q.Account)
	if q.Line != "" {
		c.add(`i.line =`, account.LineKey(q.Line))
	}
	if q.Sender != "" {
		c.add(`i.sender =`, hashNumber(s.keys, q.Account, Sender(q.Sender)))
	}
	if !q.From.IsZero() {
		c.add(`i.at >=`, micros(q.From))
	}
	if !q.Until.IsZero() {
		c.add(`i.at <`, micros(q.Until))
	}
	if q.Unread {
		c.add(`i.read_at =`, 0)
	}
	c.args = append(c.args, q.Limit)
	ctx, cancel := s.soon(ctx)
	defer cancel()
	rows, err := s.reader.QueryContext(ctx, `SELECT i.id, coalesce(l.number, i.line), i.parts, i.at, i.read_at, i.repeated, i.sealed `+
		`FROM incoming i LEFT JOIN line l ON l.key = i.line`+c.where()+
		` ORDER BY i.id DESC LIMIT $`+strconv.Itoa(len(c.args)), c.args...)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			m, err := s.readIncoming(into)
			all = append(all, m)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read incoming messages: %w", err)
	}
	return all, nil
}

func (s *Store) readIncoming(into func(...any) error) (m sms.Incoming, err error) {
	var at, readAt, repeated int64
	var sealed []byte
	if err := into(&m.ID, &m.Line, &m.Parts, &at, &readAt, &repeated, &sealed); err != nil {
		return m, err
	}
	m.At, m.Read, m.Repeated = fromMicros(at), readAt != 0, repeated != 0
	return m, openIncoming(s.keys, &m, sealed)
}
