package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/sms"
)

// batchFields are in the order of batchRow.into; messageFields in that of
// readMessage.
const (
	batchFields   = `b.id, b.account, b.call, b.at, b.due, b.expires, b.priority, b.once, b.count, b.price, b.sealed`
	messageFields = `m.id, m.batch, m.parts, m.price, m.state, m.state_at, m.operator, m.doubt, m.sent_at`
)

// batchMessages joins batches with their messages.
const batchMessages = ` FROM batch b JOIN message m ON m.id >= b.id AND m.id < b.id + b.count `

// batchRow is one row of batch.
type batchRow struct {
	sms.Batch
	count  int
	sealed []byte
}

func readBatch(into func(...any) error) (*batchRow, error) {
	var r batchRow
	var at, due, expires, once int64
	err := into(&r.ID, &r.Account, &r.Call, &at, &due, &expires, &r.Priority, &once, &r.count, &r.Price, &r.sealed)
	r.At, r.Due, r.Expires, r.Once = fromMicros(at), fromMicros(due), fromMicros(expires), once != 0
	return &r, err
}

func readMessage(into func(...any) error) (m sms.Message, batch int64, err error) {
	var stateAt, doubt, sentAt int64
	err = into(&m.ID, &batch, &m.Parts, &m.Price, &m.State, &stateAt, &m.Operator, &doubt, &sentAt)
	m.StateAt, m.SentAt, m.Doubt = fromMicros(stateAt), fromMicros(sentAt), doubt != 0
	return m, batch, err
}

// Batches gives batches by their ids, in that order, with all their messages as
// they are now. Those that are not there are left out. Of a batch that was
// erased lines, recipients and texts are empty.
func (s *Store) Batches(ctx context.Context, ids []int64) ([]sms.Batch, error) {
	found, err := s.batches(ctx, `WHERE b.id IN `, ids)
	if err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	return found, nil
}

// batches reads the batches of some ids.
func (s *Store) batches(ctx context.Context, where string, ids []int64) ([]sms.Batch, error) {
	byID := map[int64]*batchRow{}
	err := s.eachOf(ctx, `SELECT `+batchFields+` FROM batch b `+where, ids, func(into func(...any) error) error {
		r, err := readBatch(into)
		byID[r.ID] = r
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.eachOf(ctx, `SELECT `+messageFields+batchMessages+where, ids, func(into func(...any) error) error {
		m, batch, err := readMessage(into)
		if r := byID[batch]; r != nil {
			r.Messages = append(r.Messages, m)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all := make([]sms.Batch, 0, len(ids))
	for _, id := range ids {
		r := byID[id]
		if r == nil {
			continue
		}
		slices.SortFunc(r.Messages, func(a, b sms.Message) int { return int(a.ID - b.ID) })
		if err := openBatch(s.keys, r.ID, r.sealed, r.Messages); err != nil {
			return nil, fmt.Errorf("batch %d: %w", r.ID, err)
		}
		all = append(all, r.Batch)
	}
	return all, nil
}

// most is how many keys one query is given.
const most = 500

// eachOf runs a query that ends with IN, for some keys at a time.
func (s *Store) eachOf(ctx context.Context, query string, ids []int64, row func(into func(...any) error) error) error {
	ctx, cancel := s.soon(ctx)
	defer cancel()
	for some := range slices.Chunk(ids, most) {
		rows, err := s.reader.QueryContext(ctx, query+inList(some))
		if err == nil {
			err = scan(rows, row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inList writes numbers as a list: they are ours, and need no parameters.
func inList(ids []int64) string {
	var text strings.Builder
	text.WriteByte('(')
	for i, id := range ids {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(strconv.FormatInt(id, 10))
	}
	text.WriteByte(')')
	return text.String()
}

// Sent gives batches of an account, the newest first, each whole, whatever of
// its messages was asked for.
func (s *Store) Sent(ctx context.Context, q sms.Sent) ([]sms.Batch, error) {
	ids, err := s.sentIDs(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("look up what was sent: %w", err)
	}
	found, err := s.batches(ctx, `WHERE b.id IN `, ids)
	if err != nil {
		return nil, fmt.Errorf("read what was sent: %w", err)
	}
	return found, nil
}

func (s *Store) sentIDs(ctx context.Context, q sms.Sent) (ids []int64, err error) {
	c := conditions{}
	with, from := ``, `SELECT b.id, b.at FROM batch b`
	c.add(`b.account =`, q.Account)
	if q.Batch != 0 {
		c.add(`b.id =`, q.Batch)
	}
	if !q.From.IsZero() {
		c.add(`b.at >=`, micros(q.From))
	}
	if !q.Until.IsZero() {
		c.add(`b.at <`, micros(q.Until))
	}
	if !q.Recipient.IsZero() {
		with = spans
		from = `SELECT DISTINCT b.id, b.at FROM span CROSS JOIN message m JOIN batch b ON b.id = m.batch`
		c.all = append(c.all, `m.id / `+spanLength+` = span.n`)
		c.add(`m.number =`, hashNumber(s.keys, q.Account, q.Recipient.Local()))
	}
	c.args = append(c.args, q.Limit)
	ctx, cancel := s.soon(ctx)
	defer cancel()
	rows, err := s.reader.QueryContext(ctx, with+from+c.where()+` ORDER BY b.at DESC, b.id DESC LIMIT $`+strconv.Itoa(len(c.args)), c.args...)
	if err != nil {
		return nil, err
	}
	err = scan(rows, func(into func(...any) error) error {
		var id, at int64
		err := into(&id, &at)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// spans are the stretches of ids that the index of numbers has together: each is
// asked on its own. On SQLite that is a few microseconds for a thousand messages.
const (
	spanLength = `1024`
	spans      = `WITH RECURSIVE span (n) AS (SELECT min(id) / ` + spanLength + ` FROM message ` +
		`UNION ALL SELECT n + 1 FROM span WHERE n < (SELECT max(id) / ` + spanLength + ` FROM message)) `
)

// conditions are what a query asks for, joined by AND.
type conditions struct {
	all  []string
	args []any
}

func (c *conditions) add(left string, value any) {
	c.args = append(c.args, value)
	c.all = append(c.all, left+" $"+strconv.Itoa(len(c.args)))
}

func (c *conditions) where() string { return ` WHERE ` + strings.Join(c.all, " AND ") }

// Messages gives messages of an account by their ids, in that order. Those of
// others, and those that are not there, are left out.
func (s *Store) Messages(ctx context.Context, account string, ids []int64) ([]sms.Message, error) {
	batches := map[int64]struct{}{}
	err := s.eachOf(ctx, `SELECT m.batch, b.account FROM message m JOIN batch b ON b.id = m.batch WHERE m.id IN `, ids,
		func(into func(...any) error) error {
			var batch int64
			var owner string
			err := into(&batch, &owner)
			if owner == account {
				batches[batch] = struct{}{}
			}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("look up messages: %w", err)
	}
	of := make([]int64, 0, len(batches))
	for id := range batches {
		of = append(of, id)
	}
	whole, err := s.batches(ctx, `WHERE b.id IN `, of)
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	byID := map[int64]sms.Message{}
	for _, b := range whole {
		for _, m := range b.Messages {
			byID[m.ID] = m
		}
	}
	all := make([]sms.Message, 0, len(ids))
	for _, id := range ids {
		if m, ok := byID[id]; ok {
			all = append(all, m)
		}
	}
	return all, nil
}
