package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/sms"
)

// OpenParts gives the ids of the parts that an operator accepted, and whose
// receipts have not come, as they are kept.
func (s *Store) OpenParts(ctx context.Context, operator string) (ids []string, err error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT name FROM part WHERE operator = $1 AND state = 0`, operator)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var id string
			err := into(&id)
			ids = append(ids, id)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the parts without a receipt: %w", err)
	}
	return ids, nil
}

// Orphans makes the jobs due at once that a process held which is gone. It is
// for a store that no two processes can have open: elsewhere only the end of
// the lease tells that somebody is gone.
func (s *Store) Orphans(ctx context.Context, kind string) error {
	if s.Shared() {
		return nil
	}
	return s.write(ctx, "take over jobs", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE job SET due = $1 WHERE kind = $2 AND holder <> '' AND due > $1`, micros(s.now()), kind)
		return err
	})
}

// SentPart is one part that an operator accepted.
type SentPart struct {
	Message  int64
	Place    int
	Operator string
	ID       string    // as it is kept
	State    sms.State // that its receipt told; Queued before
	At       time.Time
}

// Parts gives the parts of messages, in their order.
func (s *Store) Parts(ctx context.Context, messages []int64) (all []SentPart, err error) {
	err = s.eachOf(ctx, `SELECT message, place, operator, name, state, at FROM part WHERE message IN `, messages, func(into func(...any) error) error {
		var p SentPart
		var at int64
		err := into(&p.Message, &p.Place, &p.Operator, &p.ID, &p.State, &at)
		p.At = fromMicros(at)
		all = append(all, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read parts: %w", err)
	}
	return all, nil
}

// BatchOf gives the id of the batch that a message belongs to; 0 where there is
// no such message.
func (s *Store) BatchOf(ctx context.Context, message int64) (id int64, err error) {
	err = s.eachOf(ctx, `SELECT batch FROM message WHERE id IN `, []int64{message}, func(into func(...any) error) error { return into(&id) })
	if err != nil {
		return 0, fmt.Errorf("look up a message: %w", err)
	}
	return id, nil
}

// Stray is a receipt that belongs to no message that is known.
type Stray struct {
	Operator string
	ID       string // as it is kept
	State    sms.State
	At       time.Time
}

// Strays gives receipts that belong to no message, the newest first.
func (s *Store) Strays(ctx context.Context, limit int) (all []Stray, err error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT operator, name, state, at FROM stray ORDER BY at DESC LIMIT $1`, limit)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var one Stray
			var at int64
			err := into(&one.Operator, &one.ID, &one.State, &at)
			one.At = fromMicros(at)
			all = append(all, one)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read receipts without a message: %w", err)
	}
	return all, nil
}
