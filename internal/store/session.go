package store

import (
	"database/sql"
	"errors"
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
