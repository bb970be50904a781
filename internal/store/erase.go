package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/audit"
)

// eraseStep is how many numbers of records one transaction goes through.
const eraseStep = 20_000

// Erase blanks the personal fields of all records before a moment: the
// caller's address, the subject's hash, and the salt without which their
// digest cannot be guessed from. The answers that idempotency keys gave then go
// too; their keys stay taken. So do lines, numbers and texts of messages that were
// sent or came before it. It tells how many records it blanked. The trail
// can still be verified, since the digest stays. Erasing again is harmless, and
// goes on where an earlier one was cut short.
//
// The database file is written anew, which needs as much free space again.
// What was blanked is gone from it when the store is closed; backups keep what
// they have. Calls wait meanwhile.
func (s *Store) Erase(ctx context.Context, before time.Time, progress func(done, all int64)) (blanked int64, err error) {
	if before.After(s.now()) {
		return 0, errors.New("erase: the moment must not be in the future")
	}
	var last int64
	if err := s.writer.QueryRowContext(ctx, `SELECT seq FROM audit_head WHERE id = 1`).Scan(&last); err != nil {
		return 0, fmt.Errorf("erase: %w", err)
	}
	if err := s.noteErasure(ctx, before); err != nil {
		return 0, err
	}
	for from := int64(1); from <= last; from += eraseStep {
		n, err := s.eraseFrom(ctx, from, before)
		if err != nil {
			return blanked, err
		}
		blanked += n
		progress(min(from+eraseStep-1, last), last)
	}
	if err := s.eraseAnswers(ctx, before); err != nil {
		return blanked, err
	}
	if err := s.eraseMessages(ctx, before); err != nil {
		return blanked, err
	}
	return blanked, s.rewrite(ctx)
}

func (s *Store) eraseAnswers(ctx context.Context, before time.Time) error {
	none := []byte{}
	return s.writeOn(ctx, s.patient, "erase kept answers", func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE answer SET sealed = $1 WHERE at < $2 AND open = 0 AND sealed <> $1`, none, micros(before))
		return err
	})
}

// rewrite comes also where nothing was blanked: an earlier erasure may have
// been cut short before it.
func (s *Store) rewrite(ctx context.Context) error {
	if err := s.engine.rewrite(ctx); err != nil {
		return fmt.Errorf("erase: write the database anew: %w", err)
	}
	return nil
}

// noteErasure comes first: a record that is blanked without it is an intruder's.
func (s *Store) noteErasure(ctx context.Context, before time.Time) error {
	chain := audit.NewChain(s.keys.Key(trailPurpose))
	mark := chain.Mark(micros(before))
	return s.write(ctx, "note what is erased", func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE audit_head SET erased_before = $1, erased_mark = $2 WHERE id = 1 AND erased_before < $1`,
			micros(before), mark[:])
		return err
	})
}

func (s *Store) eraseFrom(ctx context.Context, from int64, before time.Time) (blanked int64, err error) {
	none := []byte{}
	err = s.writeOn(ctx, s.patient, "erase", func(tx *sql.Tx) error {
		result, err := tx.Exec(`UPDATE audit SET peer = '', subject = $1, salt = $1 `+
			`WHERE seq >= $2 AND seq < $3 AND at < $4 AND salt <> $1`, none, from, from+eraseStep, micros(before))
		if err != nil {
			return err
		}
		blanked, err = result.RowsAffected()
		return err
	})
	return blanked, err
}
