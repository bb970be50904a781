package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// How many people are sealed at a time by one worker, and written in one
// transaction: about 30 MB on disk.
const (
	sealChunk   = 2_000
	peopleGroup = 100_000
)

// replacePerson is the end of what puts somebody into the register, where he or
// she may be: whoever else has the number stays.
const replacePerson = `ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed WHERE person.rest = excluded.rest`

// ErrCollision means that somebody cannot be stored because the keyed hash of
// another national code begins with the same 64 bits. Of ten million people
// there is such a pair in one register of 370,000.
var ErrCollision = errors.New("the keyed hashes of two national codes collide: the second one cannot be in this register")

// PutPeople adds people to the register; those with the same national code
// are replaced. The register is written in large transactions, so that after
// an error or a crash a part of the people may be there: putting the same
// people again completes it. Progress, which may be nil, is told how many are
// sealed and on their way; they are durable when PutPeople returns.
//
// People is read by another goroutine than the caller's.
func (s *Store) PutPeople(ctx context.Context, people iter.Seq[Person], progress func(n int)) error {
	if progress == nil {
		progress = func(int) {}
	}
	made := statements{db: s.writer, engine: s.engine}
	insert := made.bulk(3, `INSERT INTO person (id, rest, sealed)`, replacePerson)
	if made.err != nil {
		return fmt.Errorf("put people: %w", made.err)
	}
	defer func() { _ = made.close() }()

	work, ctx := errgroup.WithContext(ctx)
	read, sealed := make(chan []Person, 1), make(chan []sealedPerson, 1)
	work.Go(func() error { return chunk(ctx, people, read) })
	work.Go(func() error { return s.sealAll(ctx, read, sealed) })
	work.Go(func() error {
		return collect(sealed, peopleGroup, s.scratch, progress, func(group []sealedPerson) error {
			return s.putPeople(ctx, &insert, group)
		})
	})
	return work.Wait()
}

func (s *Store) putPeople(ctx context.Context, insert *bulk, group []sealedPerson) error {
	ids := make([]int64, len(group))
	for i := range group {
		ids[i] = group[i].key.id
	}
	err := s.write(ctx, "put people", func(tx *sql.Tx) error {
		if err := insertPeople(tx, insert, group); err != nil {
			return err
		}
		return tellPeople(tx, ids)
	})
	s.persons.mirrors.changed(ids)
	return err
}

// sealedPerson is a row of the register.
type sealedPerson struct {
	key    personKey
	sealed []byte
}

// chunk cuts people into slices.
func chunk(ctx context.Context, people iter.Seq[Person], to chan<- []Person) error {
	defer close(to)
	part := make([]Person, 0, sealChunk)
	for p := range people {
		part = append(part, p)
		if len(part) < sealChunk {
			continue
		}
		if err := send(ctx, to, part); err != nil {
			return err
		}
		part = make([]Person, 0, sealChunk)
	}
	return send(ctx, to, part)
}

// sealAll seals on every core, because that is most of the work.
func (s *Store) sealAll(ctx context.Context, from <-chan []Person, to chan<- []sealedPerson) error {
	defer close(to)
	workers, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() error {
			for part := range from {
				rows, err := s.sealPeople(part)
				if err == nil {
					err = send(ctx, to, rows)
				}
				if err != nil {
					return fmt.Errorf("put people: %w", err)
				}
			}
			return nil
		})
	}
	return workers.Wait()
}

func (s *Store) sealPeople(people []Person) ([]sealedPerson, error) {
	rows := make([]sealedPerson, len(people))
	var plain []byte
	for i := range people {
		row := people[i].row()
		plain = row.append(plain[:0])
		id := s.keys.Hash(personHash, row.Code)
		sealed, err := s.keys.Seal(plain, personWhat(id))
		if err != nil {
			return nil, err
		}
		rows[i] = sealedPerson{keyOf(id), sealed}
	}
	return rows, nil
}

// collect hands over groups of at least most people, in the order of the
// register: where there are so many, all are put aside first. A person counts half
// when sealed, and half when written.
func collect(from <-chan []sealedPerson, most int, dirs []string, progress func(int), write func([]sealedPerson) error) (err error) {
	var group []sealedPerson
	var aside *spill
	n := 0
	for rows := range from {
		group = append(group, rows...)
		n += len(rows)
		progress(n / 2)
		if len(group) < most {
			continue
		}
		if aside == nil {
			if aside, err = newSpill(dirs); err != nil {
				return fmt.Errorf("put people aside: %w", err)
			}
			defer func() { err = errors.Join(err, aside.close()) }()
		}
		if err := aside.add(group); err != nil {
			return err
		}
		group = group[:0]
	}
	done := 0
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		err := write(group)
		done += len(group)
		group = group[:0]
		progress(n/2 + done - done/2)
		return err
	}
	if aside == nil {
		return flush()
	}
	if err := aside.add(group); err != nil {
		return err
	}
	group = group[:0]
	for part := range spillParts {
		if group, err = aside.read(part, group); err != nil {
			return err
		}
		if len(group) < most && part < spillParts-1 {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return nil
}

// insertPeople writes in the order of the table, so that each of its pages is
// visited once per group and not once per person. Of a person who is in the
// group twice the last is written.
func insertPeople(tx *sql.Tx, insert *bulk, group []sealedPerson) error {
	slices.SortStableFunc(group, func(a, b sealedPerson) int { return cmp.Compare(a.key.id, b.key.id) })
	args := make([]any, 0, insert.columns<<(bulkSizes-1))
	for i := range group {
		if p := &group[i]; i == len(group)-1 || p.key != group[i+1].key {
			args = append(args, p.key.id, p.key.rest[:], p.sealed)
		}
		if len(args) < cap(args) && i < len(group)-1 {
			continue
		}
		changed, err := insert.changed(tx, args)
		if err == nil && int(changed) < len(args)/insert.columns {
			err = ErrCollision
		}
		if err != nil {
			return err
		}
		args = args[:0]
	}
	return nil
}

func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
