package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresSession sends the questions of a transaction in one round trip, and
// its statements with the commit in another; without questions there is one
// trip alone. It has a connection of its own,
// which it makes anew when it is lost.
type postgresSession struct {
	config  *pgx.ConnConfig
	conn    *pgx.Conn
	open    bool               // a transaction is under way
	counted map[counted]string // texts
}

type counted struct {
	text string
	want int64
}

func (s *postgresSession) ask(questions []question) error {
	begun := s.open
	err := s.pose(questions)
	// A connection may have died since it was last used; nothing is lost by
	// asking again on another one.
	if err != nil && !begun && s.lost() {
		err = s.pose(questions)
	}
	return err
}

func (s *postgresSession) pose(questions []question) (err error) {
	if err := s.connect(); err != nil {
		return err
	}
	var batch pgx.Batch
	if !s.open {
		batch.Queue("BEGIN")
	}
	for i := range questions {
		batch.Queue(questions[i].query.text, questions[i].args...)
	}
	results := s.conn.SendBatch(context.Background(), &batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	if !s.open {
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		s.open = true
	}
	for i := range questions {
		rows, err := results.Query()
		for err == nil && rows.Next() {
			err = questions[i].row(rows.Scan)
		}
		rows.Close()
		if err = errors.Join(err, rows.Err()); err != nil {
			return err
		}
	}
	return nil
}

func (s *postgresSession) tell(statements []statement) error {
	if err := s.connect(); err != nil {
		return err
	}
	var batch pgx.Batch
	begins := !s.open
	if begins {
		batch.Queue("BEGIN")
		s.open = true
	}
	for i := range statements {
		batch.Queue(s.text(&statements[i]), statements[i].args...)
	}
	batch.Queue("COMMIT")
	err := s.told(&batch, begins, statements)
	if err == nil {
		s.open = false
		return nil
	}
	if s.lost() {
		// Whatever was being read, all was sent, and may have been done.
		err = fmt.Errorf("%w: %w", errUncertain, err)
	}
	s.abandon()
	return err
}

// told sends statements and the commit, and reads what became of them.
func (s *postgresSession) told(batch *pgx.Batch, begins bool, statements []statement) (err error) {
	results := s.conn.SendBatch(context.Background(), batch)
	defer func() {
		// After an error the rest was skipped, and says the same.
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	if begins {
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	for i := range statements {
		if _, err := results.Exec(); err != nil {
			return classified(err, &statements[i])
		}
	}
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = errors.New("the transaction was rolled back")
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// text is the statement's, so made that it fails where it does not change as
// many rows as are wanted: the commit is sent with it, and nobody is asked in
// between.
func (s *postgresSession) text(st *statement) string {
	if st.want < 0 {
		return st.query.text
	}
	key := counted{st.query.text, st.want}
	text, made := s.counted[key]
	if !made {
		text = "WITH changed AS (" + st.query.text + " RETURNING 1) SELECT 1 / CASE count(*) WHEN " +
			strconv.FormatInt(st.want, 10) + " THEN 1 ELSE 0 END FROM changed"
		if s.counted == nil {
			s.counted = map[counted]string{}
		}
		s.counted[key] = text
	}
	return text
}

// divisionByZero is how a statement says that it changed another number of rows
// than was wanted.
const divisionByZero = "22012"

func classified(err error, st *statement) error {
	var of *pgconn.PgError
	if !errors.As(err, &of) {
		return err
	}
	if of.Code == divisionByZero && st.otherwise != nil {
		return st.otherwise
	}
	return refusedByPostgres(err)
}

// refusedByPostgres marks an error that is about a value, and not about the
// database.
func refusedByPostgres(err error) error {
	var of *pgconn.PgError
	if !errors.As(err, &of) || len(of.Code) < 2 {
		return err
	}
	switch of.Code[:2] {
	case "22", "23", "54": // data, constraints, limits
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// lost tells whether the connection is gone. One that the server is about to
// end counts as gone.
func (s *postgresSession) lost() bool { return s.conn == nil || s.conn.IsClosed() }

func (s *postgresSession) connect() (err error) {
	if !s.lost() {
		return nil
	}
	if s.open {
		return errors.New("the connection was lost within a transaction")
	}
	if s.conn, err = pgx.ConnectConfig(context.Background(), s.config); err != nil {
		s.conn = nil
		return explained(err, s.config)
	}
	return nil
}

func (s *postgresSession) abandon() {
	if !s.open {
		return
	}
	s.open = false
	if s.lost() {
		return // the server undoes what was not committed
	}
	const idle = 'I'
	if s.conn.PgConn().TxStatus() == idle {
		return
	}
	if _, err := s.conn.Exec(context.Background(), "ROLLBACK"); err != nil {
		_ = s.close()
	}
}

func (s *postgresSession) close() error {
	if s.conn == nil {
		return nil
	}
	conn := s.conn
	s.conn = nil
	return conn.Close(context.Background())
}
