package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

var (
	// errUncertain: the transaction may be there or not.
	errUncertain = errors.New("it is not known whether the commit was done")
	// errRefused: the database does not take what it was given; another
	// transaction may do better.
	errRefused = errors.New("the database refuses a value")
)

// session runs the committer's transactions, one at a time. How many trips to
// the database that takes is the engine's business.
type session interface {
	// ask begins a transaction where none is under way, and asks the questions
	// in their order.
	ask(questions []question) error
	// tell runs the statements in their order and commits, in the transaction
	// under way or one of their own. An error means that nothing was done, but
	// for errUncertain.
	tell(statements []statement) error
	// abandon undoes what was not told. It is harmless where nothing is under way.
	abandon()
	close() error
}

// question is a query and what takes its rows.
type question struct {
	query *query
	args  []any
	row   func(into func(...any) error) error
}

// statement is a change. Where fewer or more than want rows were changed,
// the transaction fails with otherwise; a want below 0 takes any number.
type statement struct {
	query     *query
	args      []any
	want      int64
	otherwise error
}

// query is a text of SQL, prepared where the engine wants it to be.
type query struct {
	text string
	made *sql.Stmt
}

// sqliteSession runs on the writer's one connection, which it shares with all
// that is written otherwise.
type sqliteSession struct {
	db *sql.DB
	tx *sql.Tx
}

func (s *sqliteSession) begin() (err error) {
	if s.tx != nil {
		return nil
	}
	// A transaction that has begun is finished: no context ends it.
	if s.tx, err = s.db.BeginTx(context.Background(), nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

func (s *sqliteSession) ask(questions []question) error {
	if err := s.begin(); err != nil {
		return err
	}
	for _, q := range questions {
		rows, err := q.query.rows(s.tx, q.args...)
		if err == nil {
			err = scan(rows, q.row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sqliteSession) tell(statements []statement) error {
	if err := s.begin(); err != nil {
		return err
	}
	for i := range statements {
		st := &statements[i]
		changed, err := st.query.exec(s.tx, st.args...)
		if err != nil {
			s.abandon()
			return refusedBySQLite(err)
		}
		if st.want >= 0 && changed != st.want {
			s.abandon()
			return st.otherwise
		}
	}
	err := s.tx.Commit()
	s.tx = nil
	if err != nil {
		return fmt.Errorf("%w: %w", errUncertain, err)
	}
	return nil
}

func (s *sqliteSession) abandon() {
	if s.tx != nil {
		_ = s.tx.Rollback() // what cannot be undone now is undone by the next to open the file
		s.tx = nil
	}
}

func (s *sqliteSession) close() error { return nil }

// refusedBySQLite marks an error that is about a value, and not about the
// database.
func refusedBySQLite(err error) error {
	var of *sqlite.Error
	if !errors.As(err, &of) {
		return err
	}
	switch of.Code() & 0xff { // the lowest byte is the class
	case lib.SQLITE_CONSTRAINT, lib.SQLITE_MISMATCH, lib.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
