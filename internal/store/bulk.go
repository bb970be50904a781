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

// statements prepares, and remembers the first mistake. What runs in a
// transaction of database/sql is prepared before the first of them begins: the
// writer has one connection, and a transaction holds it.
type statements struct {
	// db is where they are prepared. It is nil for what sessions run, which
	// prepare it when they need it, and for a command, which runs few of them:
	// to parse the others takes SQLite longer than all that most commands do.
	db     *sql.DB
	engine engine
	made   []*sql.Stmt
	err    error
}

func (p *statements) prepare(text string) *query {
	q := &query{text: text}
	if p.err != nil || p.db == nil || !p.engine.prepares() {
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
func (p *statements) mark(i int) string { return p.engine.mark(i) }

func (p *statements) close() error {
	var errs []error
	for _, stmt := range p.made {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

// exec runs a query within a transaction, and tells how many rows it changed.
// It does not take the caller's context: a transaction that has begun is
// finished, and SQLite's driver would pay a goroutine per statement to watch
// for the end.
func (q *query) exec(tx *sql.Tx, args ...any) (changed int64, err error) {
	var result sql.Result
	if q.made != nil {
		result, err = tx.Stmt(q.made).Exec(args...) //nolint:sqlclosecheck // the transaction closes its statements
	} else {
		result, err = tx.Exec(q.text, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// bulk writes many rows with few statements.
type bulk struct {
	columns int
	sizes   [bulkSizes]*query
	arrays  *arrays // nil where the engine has none
}

// bulk prepares head VALUES (…),(…) tail, whose head begins with INSERT INTO. A
// transaction in which one fails is undone. SQLite is told so, and does not keep
// each page besides as it was before the statement.
func (p *statements) bulk(columns int, head, tail string) bulk {
	b := bulk{columns: columns}
	if !p.engine.shared() {
		head = strings.Replace(head, "INSERT INTO", "INSERT OR FAIL INTO", 1)
	} else {
		b.arrays = &arrays{head: head, tail: tail, columns: make([]array, columns)}
	}
	for size := range b.sizes {
		b.sizes[size] = p.prepare(head + " VALUES " + p.values(1<<size, columns) + " " + tail)
	}
	return b
}

// update prepares head (VALUES …) AS v tail, which changes one row for each.
func (p *statements) update(head string, kinds []string, tail string) bulk {
	b := bulk{columns: len(kinds)}
	for size := range b.sizes {
		b.sizes[size] = p.prepare(head + " " + p.table(kinds, 1<<size) + " " + tail)
	}
	return b
}

// table is (VALUES …) AS v with n rows of parameters; its columns are column1,
// column2 … on both engines. PostgreSQL has to be told their kinds.
func (p *statements) table(kinds []string, n int) string {
	var first []string
	for i, kind := range kinds {
		first = append(first, "cast("+p.mark(i+1)+" AS "+kind+")")
	}
	text := "(VALUES (" + strings.Join(first, ",") + ")"
	if n > 1 {
		text += "," + p.valuesFrom(1, n, len(kinds))
	}
	return text + ") AS v"
}

// statements appends what writes the rows whose parameters are in args, one
// row after the other. Where all is set each row must be new, or the
// transaction fails with otherwise.
func (b *bulk) statements(to []statement, args []any, all bool, otherwise error) []statement {
	// To take arrays apart takes PostgreSQL longer than all the rest of a row.
	if b.arrays != nil && len(args) > b.columns {
		return append(to, b.arrays.statement(args, all, otherwise))
	}
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
	_, err := b.changed(tx, args)
	return err
}

// changed is exec, and tells how many rows were changed.
func (b *bulk) changed(tx *sql.Tx, args []any) (n int64, err error) {
	for _, s := range b.statements(nil, args, false, nil) {
		changed, err := s.query.exec(tx, s.args...)
		if err != nil {
			return 0, err
		}
		n += changed
	}
	return n, nil
}

// list reads the rows whose key is one of many.
type list struct {
	sizes [listSizes]*query
}

// list prepares head IN (…).
func (p *statements) list(head string) list { return p.listed(head, "") }

// listed prepares head IN (…) tail.
func (p *statements) listed(head, tail string) list {
	var l list
	for size := range l.sizes {
		l.sizes[size] = p.prepare(head + " IN " + p.values(1, 1<<size) + tail)
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

// values writes n rows of columns parameters each: ($1,$2),($3,$4), as the
// engine marks them.
func (p *statements) values(n, columns int) string { return p.valuesFrom(0, n, columns) }

// valuesFrom leaves out the rows before the from-th, whose parameters stand
// elsewhere.
func (p *statements) valuesFrom(from, n, columns int) string {
	var text strings.Builder
	for row := from; row < n; row++ {
		for column := range columns {
			switch {
			case column > 0:
				text.WriteByte(',')
			case row > from:
				text.WriteString(",(")
			default:
				text.WriteByte('(')
			}
			text.WriteString(p.mark(row*columns + column + 1))
		}
		text.WriteByte(')')
	}
	return text.String()
}
