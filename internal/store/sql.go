package store

import (
	"database/sql"
	"errors"
	"time"
)

// scan reads every row and closes rows.
func scan(rows *sql.Rows, row func(into func(...any) error) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rows runs a query within a transaction, whose rows are to be scanned.
func (q *query) rows(tx *sql.Tx, args ...any) (*sql.Rows, error) {
	if q.made != nil {
		return tx.Stmt(q.made).Query(args...) //nolint:sqlclosecheck // the transaction closes its statements
	}
	return tx.Query(q.text, args...)
}

// flag is how a boolean is stored: SQLite has no other.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// micros is how times are stored: microseconds UTC since 1970; 0 is no time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// one runs a statement that must change a row; otherwise it is another error.
func one(tx *sql.Tx, otherwise error, query string, args ...any) error {
	result, err := tx.Exec(query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return otherwise
}
