package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// sqliteSession runs on the writer's one connection, which it shares with all
// that is written otherwise. For each transaction database/sql starts a
// goroutine that waits for its end, and has BEGIN and COMMIT read as text: a
// twentieth of a call's processor time at 64 connections, and more of a lone
// one's. So the session takes the connection from the pool and speaks to the
// driver. Transactions that have begun are finished; no context ends them.
type sqliteSession struct {
	db   *sql.DB
	conn *sql.Conn // while a transaction is under way
	*sqliteStatements
}

// sqliteStatements are prepared on the writer's connection when they are first
// needed. All sessions have the same ones, and use them while the connection is
// lent to them.
type sqliteStatements struct {
	on   any // the driver's connection
	made map[string]sqliteStatement
	args []driver.NamedValue
}

type sqliteStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// prepared gives the statement of a text, which is read once.
func (s *sqliteStatements) prepared(text string) (sqliteStatement, error) {
	if made := s.made[text]; made != nil {
		return made, nil
	}
	on, able := s.on.(driver.ConnPrepareContext)
	if !able {
		return nil, errDriver
	}
	plain, err := on.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	made, able := plain.(sqliteStatement)
	if !able {
		return nil, errors.Join(errDriver, plain.Close())
	}
	s.made[text] = made
	return made, nil
}

// errDriver is a mistake of ours: the driver was changed.
var errDriver = errors.New("the driver is not SQLite's")

// values makes parameters of what database/sql takes. They are good until the
// next call.
func (s *sqliteStatements) values(args []any) ([]driver.NamedValue, error) {
	s.args = s.args[:0]
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, err
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return s.args, nil
}

// exec runs a statement on the connection that is lent, and tells how many rows
// it changed.
func (s *sqliteStatements) exec(text string, args ...any) (changed int64, err error) {
	statement, err := s.prepared(text)
	if err != nil {
		return 0, err
	}
	values, err := s.values(args)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(context.Background(), values)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query asks a question on the connection that is lent.
func (s *sqliteStatements) query(q *question) (err error) {
	statement, err := s.prepared(q.query.text)
	if err != nil {
		return err
	}
	values, err := s.values(q.args)
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(context.Background(), values)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	into := func(to ...any) error { return assign(to, row) }
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := q.row(into); err != nil {
			return err
		}
	}
}

// assign reads a row into the kinds of places that questions have.
func assign(to []any, row []driver.Value) error {
	if len(to) != len(row) {
		return fmt.Errorf("a row of %d columns is read into %d places", len(row), len(to))
	}
	for i, from := range row {
		var fits bool
		switch to := to[i].(type) {
		case *int64:
			*to, fits = from.(int64)
		case *int:
			var wide int64
			wide, fits = from.(int64)
			*to = int(wide)
		case *string:
			*to, fits = from.(string)
		case *[]byte:
			*to, fits = from.([]byte)
		}
		if !fits {
			return fmt.Errorf("column %d of a row is %T, and is read into %T", i+1, from, to[i])
		}
	}
	return nil
}

// lent runs do while the driver's connection is ours.
func (s *sqliteSession) lent(do func() error) error {
	return s.conn.Raw(func(on any) error {
		if on != s.on {
			// Another one: what was prepared on the last went with it.
			s.on, s.made = on, map[string]sqliteStatement{}
		}
		return do()
	})
}

func (s *sqliteSession) begin() (err error) {
	if s.conn != nil {
		return nil
	}
	if s.conn, err = s.db.Conn(context.Background()); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err = s.lent(func() error {
		_, err := s.exec("BEGIN IMMEDIATE")
		return err
	})
	if err == nil {
		return nil
	}
	// An error of this class is about a transaction that was left open. The next
	// one gets a new connection.
	s.leave(classOf(err) != lib.SQLITE_ERROR)
	return fmt.Errorf("begin: %w", err)
}

func (s *sqliteSession) ask(questions []question) error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.lent(func() error {
		for i := range questions {
			if err := s.query(&questions[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sqliteSession) tell(statements []statement) error {
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.lent(func() error { return s.told(statements) }); err != nil {
		s.abandon()
		return err
	}
	s.leave(true)
	return nil
}

func (s *sqliteSession) told(statements []statement) error {
	for i := range statements {
		st := &statements[i]
		changed, err := s.exec(st.query.text, st.args...)
		if err != nil {
			return refusedBySQLite(err)
		}
		if st.want >= 0 && changed != st.want {
			return st.otherwise
		}
	}
	if _, err := s.exec("COMMIT"); err != nil {
		return fmt.Errorf("%w: %w", errUncertain, err)
	}
	return nil
}

// abandon undoes what was not told. SQLite has undone it already after some
// errors, and says so; the connection that did not undo it is not used again.
func (s *sqliteSession) abandon() {
	if s.conn == nil {
		return
	}
	err := s.lent(func() error {
		_, err := s.exec("ROLLBACK")
		return err
	})
	s.leave(err == nil || classOf(err) == lib.SQLITE_ERROR)
}

// leave gives the connection back to the pool, which drops it unless it is good.
func (s *sqliteSession) leave(good bool) {
	if !good {
		_ = s.lent(func() error { return errors.Join(s.forget(), driver.ErrBadConn) })
	}
	_ = s.conn.Close() // one that was dropped says so
	s.conn = nil
}

func (s *sqliteSession) close() error { return nil } // the engine's part

// forget closes the statements on the connection that is lent.
func (s *sqliteStatements) forget() error {
	var errs []error
	for _, made := range s.made {
		errs = append(errs, made.Close())
	}
	s.on, s.made = nil, nil
	return errors.Join(errs...)
}

// discard closes the statements; the connection cannot be closed before them.
func (s *sqliteStatements) discard(db *sql.DB) (err error) {
	if s.on == nil {
		return nil
	}
	session := sqliteSession{db: db, sqliteStatements: s}
	if session.conn, err = db.Conn(context.Background()); err != nil {
		return err
	}
	defer session.leave(true)
	return session.lent(s.forget)
}

// refusedBySQLite marks an error that is about a value, and not about the
// database.
func refusedBySQLite(err error) error {
	switch classOf(err) {
	case lib.SQLITE_CONSTRAINT, lib.SQLITE_MISMATCH, lib.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// classOf is the class of an error of SQLite's; 0 where it is none.
func classOf(err error) int {
	var of *sqlite.Error
	if !errors.As(err, &of) {
		return 0
	}
	return of.Code() & 0xff // the lowest byte is the class
}
