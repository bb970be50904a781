package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
)

// mirrorAtOnce is how many people one query reads for a mirror: no reader should
// hold the database's state of a moment for long.
const mirrorAtOnce = 2000

// mirrorMemory is how large a mirror may be without a file where nobody says
// otherwise: some 250,000 people.
const mirrorMemory = 64 << 20

// mirrorRoom is how much of the disk a mirror leaves to the database.
const mirrorRoom = 256 << 20

// MirrorPeople copies the register into memory or, one that is larger than
// Options.PeopleMemory, into a file without a name, in the data folder or, on
// PostgreSQL without one, among the system's temporary files, and has PersonBorn
// answer from it. It takes half of the time of one processor, some seconds for a
// million people, and as much of the memory, or of the disk, as the register. It is
// worth its while after a start, and when MirrorMissed tells. It gives how many
// people are answered about now without the database: none where too many were
// changed meanwhile, which MirrorMissed tells too.
func (s *Store) MirrorPeople(ctx context.Context) (people int, err error) {
	c, m := s.persons.mirrors, &mirror{}
	c.begin(m)
	err = s.copyPeople(ctx, m)
	c.following.Lock()
	defer c.following.Unlock()
	if err == nil {
		err = s.follow(ctx, m)
	}
	if people, err = c.end(m, err); err != nil {
		return 0, fmt.Errorf("copy the register: %w", err)
	}
	return people, nil
}

// MirrorMissed gives a signal when there is no mirror, or too much of it is
// out of date.
func (s *Store) MirrorMissed() <-chan struct{} { return s.persons.mirrors.missed }

// FollowPeople has everybody read from the database whom commands or other
// nodes have changed.
func (s *Store) FollowPeople(ctx context.Context) error {
	c := s.persons.mirrors
	c.following.Lock()
	defer c.following.Unlock()
	m := c.now.Load()
	if m == nil {
		return nil
	}
	if err := s.follow(ctx, m); err != nil {
		c.changed(nil)
		return fmt.Errorf("look who of the register was changed: %w", err)
	}
	return nil
}

// copyPeople copies the rows in order, and pauses as long as it works.
func (s *Store) copyPeople(ctx context.Context, m *mirror) error {
	v, err := s.Versions(ctx)
	if err != nil {
		return err
	}
	m.since = v.People
	to := mirrorWriter{to: m, of: s.persons.mirrors}
	for last, n := int64(math.MinInt64), mirrorAtOnce; n == mirrorAtOnce; {
		began := time.Now()
		if more, err := s.persons.mirrors.goOn(m); !more {
			return err
		}
		if n, err = s.copyAfter(ctx, &last, &to); err != nil {
			return err
		}
		select {
		case <-time.After(time.Since(began)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return to.flush()
}

// goOn tells whether more of a mirror is to be made: not where it would be of no
// use, and it is an error where the disk has no room for it.
func (c *mirrors) goOn(m *mirror) (more bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.void {
		return false, nil
	}
	if m.file == nil {
		return true, nil
	}
	err = c.hasRoom(m.file)
	return err == nil, err
}

// hasRoom fails where the file's disk has no room for more.
func (c *mirrors) hasRoom(f *os.File) error {
	if d, known := diskOf(filepath.Dir(f.Name())); known && d.free < c.room {
		return fmt.Errorf("the disk has %d MiB left, and %d are for others", d.free>>20, c.room>>20)
	}
	return nil
}

// copyAfter copies the rows that come after the last one, and tells how many
// there were.
func (s *Store) copyAfter(ctx context.Context, last *int64, to *mirrorWriter) (n int, err error) {
	rows, err := s.reader.QueryContext(ctx,
		`SELECT id, rest, sealed FROM person WHERE id > $1 ORDER BY id LIMIT $2`, *last, mirrorAtOnce)
	if err != nil {
		return 0, err
	}
	var rest, sealed sql.RawBytes
	err = scan(rows, func(into func(...any) error) error {
		if err := into(last, &rest, &sealed); err != nil {
			return err
		}
		n++
		return to.add(*last, rest, sealed)
	})
	return n, err
}

// follow notes in a mirror who was changed after what it has.
func (s *Store) follow(ctx context.Context, m *mirror) error {
	rows, err := s.reader.QueryContext(ctx, `SELECT v.number, coalesce(c.number, 0), coalesce(c.id, 0) FROM version v `+
		`LEFT JOIN person_change c ON c.number > $1 WHERE v.kind = $2 ORDER BY c.number`, m.since, kindPeople)
	if err != nil {
		return err
	}
	var ids []int64
	var newest, told, last int64
	err = scan(rows, func(into func(...any) error) error {
		var number, id int64
		if err := into(&newest, &number, &id); err != nil || number == 0 {
			return err
		}
		if number != last {
			last = number
			told++
		}
		ids = append(ids, id)
		return nil
	})
	if err != nil {
		return err
	}
	c := s.persons.mirrors
	c.mu.Lock()
	defer c.mu.Unlock()
	// Changes of many are not told one by one, and old ones are forgotten.
	c.mark(m, ids, told == newest-m.since)
	m.since = newest
	return nil
}

// Changes of people are told one by one while there are so few in a
// transaction, and kept for so many transactions.
const (
	changesTold = 100
	changesKept = 1000
)

// few tells whether so few rows were changed that they are told one by one.
func few(ids []int64) bool { return len(ids) > 0 && len(ids) <= changesTold }

// tellPeople raises the number of people, and tells nodes whose rows were changed
// where they are few.
func tellPeople(tx *sql.Tx, ids []int64) error {
	if err := raise(tx, kindPeople); err != nil {
		return err
	}
	if !few(ids) {
		ids = nil
	}
	for _, id := range ids {
		if _, err := tx.Exec(`INSERT INTO person_change (number, id) SELECT number, $1 FROM version WHERE kind = $2 `+
			`ON CONFLICT DO NOTHING`, id, kindPeople); err != nil {
			return fmt.Errorf("tell who was changed: %w", err)
		}
	}
	_, err := tx.Exec(`DELETE FROM person_change WHERE number < (SELECT number FROM version WHERE kind = $1) - $2`, kindPeople, changesKept)
	if err != nil {
		return fmt.Errorf("forget who was changed: %w", err)
	}
	return nil
}
