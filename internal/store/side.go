package store

import (
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// sides are sessions for transactions that move no money, and need not wait for
// those that do. On SQLite they wait all the same: it has one writer.
type sides struct {
	mu   sync.Mutex
	free []session
}

// sideTries is how often a transaction is begun that ends unfinished through no
// fault of its own.
const sideTries = 4

// aside runs one transaction: do asks what it needs, and gives what is to be
// told. It may run several times, and what it tells may have been told before;
// so it has to be something that can be done twice.
func (s *Store) aside(what string, do func(session) ([]statement, error)) (err error) {
	ses := s.sides.take(s.engine)
	defer s.sides.put(ses)
	for range sideTries {
		if err = attempt(ses, do); err == nil || !passing(err) {
			break
		}
	}
	s.failing.Store(err != nil && !errors.Is(err, errRefused))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func attempt(ses session, do func(session) ([]statement, error)) error {
	defer ses.abandon()
	statements, err := do(ses)
	if err != nil || len(statements) == 0 {
		return err
	}
	return ses.tell(statements)
}

// passing tells whether another try may do better: it is not known whether this
// one was done, or two transactions waited for each other.
func passing(err error) bool {
	const deadlock, serialization = "40P01", "40001"
	var of *pgconn.PgError
	return errors.Is(err, errUncertain) || errors.As(err, &of) && (of.Code == deadlock || of.Code == serialization)
}

func (s *sides) take(e engine) session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		ses := s.free[n-1]
		s.free = s.free[:n-1]
		return ses
	}
	return e.session()
}

func (s *sides) put(ses session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, ses)
}

func (s *sides) close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ses := range s.free {
		err = errors.Join(err, ses.close())
	}
	s.free = nil
	return err
}
