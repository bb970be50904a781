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

func (p *statements) prepare(text string) *query {
	q := &query{text: text}
	if p.err != nil {
		return q
	}
	stmt, err := p.db.Prepare(text)
	if err != nil {
		p.err = fmt.Errorf("prepare %q: %w", text[:min(len(text), 60)], err)
		return q
	}
	p.made = append(p.made, stmt)
	q.made = stmt
	return q
}

// mark is the i-th parameter, from 1, of a text that is made.
func (p *statements) mark(int) string { return "?" }

func (p *statements) close() error {
	var errs []error
	for _, stmt := range p.made {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

// exec runs a prepared statement within a transaction, and tells how many rows
// it changed. It does not take the caller's context: a transaction that has
// begun is finished, and the driver would pay a goroutine per statement to
// watch for the end.
func exec(tx *sql.Tx, stmt *sql.Stmt, args ...any) (changed int64, err error) {
	result, err := tx.Stmt(stmt).Exec(args...) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// bulk writes many rows with few statements.
type bulk struct {
	columns int
	sizes   [bulkSizes]*query
}

// bulk prepares head VALUES (…),(…) tail.
func (p *statements) bulk(columns int, head, tail string) bulk {
	b := bulk{columns: columns}
	for size := range b.sizes {
		b.sizes[size] = p.prepare(head + " VALUES " + values(1<<size, columns) + " " + tail)
	}
	return b
}

// statements appends what writes the rows whose parameters are in args, one
// row after the other. Where all is set each row must be new, or the
// transaction fails with otherwise.
func (b *bulk) statements(to []statement, args []any, all bool, otherwise error) []statement {
	for len(args) > 0 {
		size := min(bits.Len(uint(len(args)/b.columns))-1, bulkSizes-1)
		used, want := b.columns<<size, int64(-1)
		if all {
			want = 1 << size
		}
		to = append(to, statement{b.sizes[size], args[:used:used], want, otherwise})
		args = args[used:]
	}
	return to
}

// exec writes rows within a transaction.
func (b *bulk) exec(tx *sql.Tx, args []any) error {
	for _, s := range b.statements(nil, args, false, nil) {
		if _, err := exec(tx, s.query.made, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// list reads the rows whose key is one of many.
type list struct {
	sizes [listSizes]*query
}

// list prepares head IN (…).
func (p *statements) list(head string) list {
	var l list
	for size := range l.sizes {
		l.sizes[size] = p.prepare(head + " IN " + values(1, 1<<size))
	}
	return l
}

// questions appends what reads the rows of all keys. A list is filled up by
// repeating its last key.
func (l *list) questions(to []question, keys []any, row func(into func(...any) error) error) []question {
	for len(keys) > 0 {
		n := min(len(keys), 1<<(listSizes-1))
		some := keys[:n:n]
		size := bits.Len(uint(n - 1))
		for len(some) < 1<<size {
			some = append(some, some[n-1])
		}
		to = append(to, question{l.sizes[size], some, row})
		keys = keys[n:]
	}
	return to
}

// values writes n rows of columns parameters each: (?,?),(?,?). They have no
// numbers here, as they have everywhere else, because SQLite takes $1 for a
// name and the driver looks each name up from the front of a list: a fifth of
// the time of a commit.
func values(n, columns int) string {
	row := "(" + strings.Repeat(",?", columns)[1:] + ")"
	return strings.Repeat(","+row, n)[1:]
}
