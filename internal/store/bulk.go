package store

import (
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// Statements are prepared for 1, 2, 4 … rows; any number of rows is a handful
// of these, so that nothing is parsed twice.
const (
	bulkSizes = 8  // up to 128 rows
	listSizes = 10 // up to 512 keys
)

// statements prepares, and remembers the first mistake. Everything is prepared
// before the first transaction begins: the writer has one connection, and a
// transaction holds it.
type statements struct {
	db   *sql.DB
	made []*sql.Stmt
	err  error
}

func (p *statements) prepare(text string) *sql.Stmt {
	if p.err != nil {
		return nil
	}
	stmt, err := p.db.Prepare(text)
	if err != nil {
		p.err = fmt.Errorf("prepare %q: %w", text[:min(len(text), 60)], err)
		return nil
	}
	p.made = append(p.made, stmt)
	return stmt
}

func (p *statements) close() error {
	var errs []error
	for _, stmt := range p.made {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

// exec runs a prepared statement within a transaction, and tells how many rows
// it changed. Neither it nor row takes the caller's context: a transaction that
// has begun is finished, and the driver would pay a goroutine per statement to
// watch for the end.
func exec(tx *sql.Tx, stmt *sql.Stmt, args ...any) (changed int64, err error) {
	result, err := tx.Stmt(stmt).Exec(args...) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row is exec for a statement that reads one row.
func row(tx *sql.Tx, stmt *sql.Stmt, args ...any) *sql.Row {
	return tx.Stmt(stmt).QueryRow(args...) //nolint:sqlclosecheck // as above
}

// bulk writes many rows with few statements.
type bulk struct {
	columns int
	sizes   [bulkSizes]*sql.Stmt
}

// bulk prepares head VALUES (…),(…) tail.
func (p *statements) bulk(columns int, head, tail string) bulk {
	b := bulk{columns: columns}
	for size := range b.sizes {
		b.sizes[size] = p.prepare(head + " VALUES " + values(1<<size, columns) + " " + tail)
	}
	return b
}

// exec writes the rows whose parameters are in args, one row after the other,
// and tells how many were written.
func (b *bulk) exec(tx *sql.Tx, args []any) (written int64, err error) {
	for len(args) > 0 {
		size := min(bits.Len(uint(len(args)/b.columns))-1, bulkSizes-1)
		used := b.columns << size
		n, err := exec(tx, b.sizes[size], args[:used]...)
		if err != nil {
			return written, err
		}
		written += n
		args = args[used:]
	}
	return written, nil
}

// list reads the rows whose key is one of many.
type list struct {
	sizes [listSizes]*sql.Stmt
}

// list prepares head IN (…).
func (p *statements) list(head string) list {
	var l list
	for size := range l.sizes {
		l.sizes[size] = p.prepare(head + " IN " + values(1, 1<<size))
	}
	return l
}

// query reads the rows of all keys.
func (l *list) query(tx *sql.Tx, keys []any, each func(into func(...any) error) error) error {
	for len(keys) > 0 {
		n := min(len(keys), 1<<(listSizes-1))
		if err := l.some(tx, keys[:n:n], each); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// some fills the statement up by repeating the last key.
func (l *list) some(tx *sql.Tx, keys []any, each func(into func(...any) error) error) error {
	size := bits.Len(uint(len(keys) - 1))
	for len(keys) < 1<<size {
		keys = append(keys, keys[len(keys)-1])
	}
	rows, err := tx.Stmt(l.sizes[size]).Query(keys...) //nolint:sqlclosecheck // as above
	if err != nil {
		return err
	}
	return scan(rows, each)
}

// values writes n rows of columns parameters each: (?,?),(?,?). They have no
// numbers here, as they have everywhere else, because SQLite takes $1 for a
// name and the driver looks each name up from the front of a list: a fifth of
// the time of a commit.
func values(n, columns int) string {
	row := "(" + strings.Repeat(",?", columns)[1:] + ")"
	return strings.Repeat(","+row, n)[1:]
}
