package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// How long it is kept under which id an operator has a part, and a receipt for
// which no part was ever known. Receipts come within the validity of a message,
// which no operator lets be longer than some days.
const remembered = 30 * 24 * time.Hour

// forgetStep is how many parts one transaction forgets.
const forgetStep = 5000

// ForgetParts removes what nobody can ask for any more: the ids of parts, the
// receipts of nobody, and what was spent on days long over.
func (s *Store) ForgetParts(ctx context.Context) error {
	before := s.now().Add(-remembered)
	err := s.write(ctx, "forget receipts of nobody", func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM stray WHERE came < $1`, micros(before)); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM spent WHERE day < $1`, dayOf(before))
		return err
	})
	// The oldest messages have the lowest ids, so that the first step in which
	// there is nothing to forget is the last.
	for forgotten := int64(1); err == nil && forgotten > 0; {
		err = s.write(ctx, "forget ids of parts", func(tx *sql.Tx) error {
			done, err := tx.Exec(`DELETE FROM part WHERE at < $1 AND message IN (SELECT message FROM part ORDER BY message LIMIT $2)`,
				micros(before), forgetStep)
			if err == nil {
				forgotten, err = done.RowsAffected()
			}
			return err
		})
	}
	return err
}

// eraseMessages blanks who sent what to whom before a moment, but for what is
// still to be sent.
func (s *Store) eraseMessages(ctx context.Context, before time.Time) error {
	none, at := []byte{}, micros(before)
	for _, step := range []struct {
		what, query string
		args        []any
	}{
		{"numbers of messages", `UPDATE message SET number = $1 WHERE number <> $1 AND batch IN (SELECT b.id FROM batch b ` +
			`WHERE b.at < $2 AND NOT EXISTS (SELECT 1 FROM job j WHERE j.kind = 'send' AND j.ref = b.id))`, []any{none, at}},
		{"messages", `UPDATE batch SET sealed = $1 WHERE sealed <> $1 AND at < $2 ` +
			`AND NOT EXISTS (SELECT 1 FROM job j WHERE j.kind = 'send' AND j.ref = batch.id)`, []any{none, at}},
		{"messages from phones", `UPDATE incoming SET sealed = $1, sender = $1 WHERE sealed <> $1 AND at < $2`, []any{none, at}},
		{"parts of messages from phones", `DELETE FROM fragment WHERE at < $1`, []any{at}},
		{"receipts of nobody", `DELETE FROM stray WHERE came < $1`, []any{at}},
	} {
		err := s.writeOn(ctx, s.patient, "erase "+step.what, func(tx *sql.Tx) error {
			_, err := tx.Exec(step.query, step.args...)
			return err
		})
		if err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	return nil
}
