package store

import (
	"fmt"
	"strconv"
	"strings"
)

// arrays writes any number of rows by one statement that takes an array for
// each column. PostgreSQL makes a plan of it once, where it would look at each
// parameter of a list of rows again and again. Up to about sixteen rows that
// list would be faster; only a row that is alone is worth a text of its own.
type arrays struct {
	head, tail string
	columns    []array
	any, all   *query // made at the first use, when the kinds of the columns are known
}

// array is the values of a column; one of the three is used.
type array struct {
	kind  string // as PostgreSQL calls it; empty until it is known
	ints  []int64
	texts []string
	blobs [][]byte
}

// statement writes the rows whose values are in args, one row after the other.
// Its values are good until the next call. Where all is set each row must be
// new, or the transaction fails with otherwise.
func (a *arrays) statement(args []any, all bool, otherwise error) statement {
	for i := range a.columns {
		a.columns[i].reset()
	}
	for i, v := range args {
		a.columns[i%len(a.columns)].add(v)
	}
	values := make([]any, len(a.columns))
	for i := range a.columns {
		values[i] = a.columns[i].values()
	}
	return statement{a.query(all), values, none, otherwise}
}

// query is the text; with all it counts, and divides by zero where rows are
// missing.
func (a *arrays) query(all bool) *query {
	if a.any == nil {
		var list strings.Builder
		for i, c := range a.columns {
			if i > 0 {
				list.WriteByte(',')
			}
			list.WriteString("$" + strconv.Itoa(i+1) + "::" + c.kind + "[]")
		}
		insert := a.head + " SELECT * FROM unnest(" + list.String() + ") " + a.tail
		a.any = &query{text: insert}
		a.all = &query{text: "WITH changed AS (" + insert + " RETURNING 1) " +
			"SELECT 1 / CASE count(*) WHEN cardinality($1::" + a.columns[0].kind + "[]) THEN 1 ELSE 0 END FROM changed"}
	}
	if all {
		return a.all
	}
	return a.any
}

func (a *array) reset() { a.ints, a.texts, a.blobs = a.ints[:0], a.texts[:0], a.blobs[:0] }

func (a *array) add(value any) {
	switch v := value.(type) {
	case int64:
		a.kind, a.ints = "bigint", append(a.ints, v)
	case int:
		a.kind, a.ints = "bigint", append(a.ints, int64(v))
	case string:
		a.kind, a.texts = "text", append(a.texts, v)
	case []byte:
		a.kind, a.blobs = "bytea", append(a.blobs, v)
	default:
		panic(fmt.Sprintf("store: a value of type %T in an array", value)) // a mistake of ours, which every test meets
	}
}

func (a *array) values() any {
	switch a.kind {
	case "bigint":
		return a.ints
	case "text":
		return a.texts
	default:
		return a.blobs
	}
}
