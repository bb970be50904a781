package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"dargah.dev/dargah/internal/persian"
)

// rememberAtOnce is how many people are read into memory by one query: no
// reader should hold the database's state of a moment for long.
const rememberAtOnce = 1000

// RememberPeople reads people into memory until it is full or everybody is
// there, so that the first question about somebody is answered as fast as the
// second. It is worth its while after a start, and when Forgotten tells. Where
// somebody is changed meanwhile it ends; Forgotten tells that too.
func (s *Store) RememberPeople(ctx context.Context) error {
	r := s.persons.recent
	if r.rows == nil {
		return nil
	}
	age, room := r.age.Load(), int64(r.rows.GetMaximum()) //nolint:gosec // it was an int64
	for last := int64(math.MinInt64); room > 0 && age == r.age.Load(); {
		n, err := s.remember(ctx, age, &last, &room)
		if err != nil {
			return fmt.Errorf("read people into memory: %w", err)
		}
		if n < rememberAtOnce {
			return nil
		}
	}
	return nil
}

// Forgotten gives a signal after people were forgotten.
func (s *Store) Forgotten() <-chan struct{} { return s.persons.recent.forgotten }

// remember reads those whose rows come after the last one, and tells how many
// there were.
func (s *Store) remember(ctx context.Context, age uint64, last, room *int64) (n int, err error) {
	rows, err := s.reader.QueryContext(ctx,
		`SELECT id, rest, sealed FROM person WHERE id > $1 ORDER BY id LIMIT $2`, *last, rememberAtOnce)
	if err != nil {
		return 0, err
	}
	err = scan(rows, func(into func(...any) error) error {
		var rest, sealed []byte
		if err := into(last, &rest, &sealed); err != nil {
			return err
		}
		n++
		id := append(binary.BigEndian.AppendUint64(nil, uint64(*last)), rest...) //nolint:gosec // all of its bits
		row := newRecentRow(age, id, sealed)
		if *room -= int64(row.size()); *room < 0 {
			return nil
		}
		return s.persons.remember(row)
	})
	return n, err
}

// remember keeps a row under what will be asked.
func (r *personReader) remember(row recentRow) error {
	var known personRow
	plain, err := r.keys.Unseal(row.sealed, personWhat(row.id[:]))
	if err == nil {
		err = known.decode(plain)
	}
	if err != nil {
		return err
	}
	code, err := persian.ParseNationalCode(known.Code)
	if err == nil {
		r.recent.keep(r.recent.key(code, known.born()), row)
	}
	return err
}
