package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// table is one of the schema's, as SQLite describes it.
type table struct {
	name    string
	columns []tableColumn
	key     []tableColumn // the primary key, in its order
	needs   []string      // tables that its rows point to
}

type tableColumn struct {
	name string
	kind string // INTEGER, TEXT or BLOB
	rank int    // in the primary key, from 1; 0 outside of it
}

// onPostgreSQL is what PostgreSQL calls the kinds of columns.
var onPostgreSQL = map[string]string{"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}

// sqliteTables are all tables of the schema, those first that others point to.
// They are asked of the database, so that none can be forgotten.
func sqliteTables(ctx context.Context, db querier) ([]table, error) {
	byName := map[string]*table{}
	var names []string
	rows, err := db.QueryContext(ctx, `SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m, pragma_table_info(m.name) c `+
		`WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' AND m.name <> 'goose_db_version' ORDER BY m.name, c.cid`)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var name string
			var c tableColumn
			if err := into(&name, &c.name, &c.kind, &c.rank); err != nil {
				return err
			}
			if byName[name] == nil {
				byName[name] = &table{name: name}
				names = append(names, name)
			}
			return byName[name].add(c)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	if err := pointers(ctx, db, byName); err != nil {
		return nil, fmt.Errorf("list what tables point to: %w", err)
	}
	return inOrderOfNeed(names, byName)
}

func (t *table) add(c tableColumn) error {
	if onPostgreSQL[c.kind] == "" {
		return fmt.Errorf("column %s of table %s has the type %s, which cannot be moved", c.name, t.name, c.kind)
	}
	t.columns = append(t.columns, c)
	if c.rank > 0 {
		t.key = append(t.key, c)
		slices.SortFunc(t.key, func(a, b tableColumn) int { return a.rank - b.rank })
	}
	return nil
}

func pointers(ctx context.Context, db querier, byName map[string]*table) error {
	rows, err := db.QueryContext(ctx, `SELECT m.name, f."table" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`)
	if err != nil {
		return err
	}
	return scan(rows, func(into func(...any) error) error {
		var name, needs string
		err := into(&name, &needs)
		if t := byName[name]; err == nil && t != nil && needs != name {
			t.needs = append(t.needs, needs)
		}
		return err
	})
}

func inOrderOfNeed(names []string, byName map[string]*table) (ordered []table, err error) {
	placed := map[string]bool{}
	for len(ordered) < len(names) {
		before := len(ordered)
		for _, name := range names {
			t := byName[name]
			if len(t.key) == 0 {
				return nil, fmt.Errorf("table %s has no primary key, and so no order to compare it in", name)
			}
			if !placed[name] && !slices.ContainsFunc(t.needs, func(n string) bool { return !placed[n] }) {
				ordered, placed[name] = append(ordered, *t), true
			}
		}
		if len(ordered) == before {
			return nil, errors.New("tables point to each other in a circle")
		}
	}
	return ordered, nil
}

// alike refuses a target on PostgreSQL whose tables are not these.
func alike(ctx context.Context, db querier, tables []table) error {
	found := map[string]string{}
	count := map[string]int{}
	rows, err := db.QueryContext(ctx, `SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = current_schema()`)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var of, name, kind string
			err := into(&of, &name, &kind)
			found[of+"."+name] = kind
			count[of]++
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("list the target's tables: %w", err)
	}
	for _, t := range tables {
		for _, c := range t.columns {
			if found[t.name+"."+c.name] != onPostgreSQL[c.kind] {
				return fmt.Errorf("the two schemas differ: column %s of table %s is %q on PostgreSQL", c.name, t.name, found[t.name+"."+c.name])
			}
		}
		if count[t.name] != len(t.columns) {
			return fmt.Errorf("the two schemas differ: table %s has %d columns on PostgreSQL and %d on SQLite", t.name, count[t.name], len(t.columns))
		}
	}
	return nil
}

func quoted(name string) string { return `"` + name + `"` }

func (t *table) names() []string {
	all := make([]string, 0, len(t.columns))
	for _, c := range t.columns {
		all = append(all, c.name)
	}
	return all
}

// from names the table and its rows that belong to both sides.
func (t *table) from() string {
	if t.name == "setting" {
		return ` FROM "setting" WHERE name <> '` + markName + `'`
	}
	return " FROM " + quoted(t.name)
}

// query reads all rows in the order of the primary key. Engines and databases
// have their own idea of the order of texts, unless they are told to compare
// bytes.
func (t *table) query(bytewise string) string {
	var columns, order []string
	for _, c := range t.columns {
		columns = append(columns, quoted(c.name))
	}
	for _, c := range t.key {
		by := quoted(c.name)
		if c.kind == "TEXT" {
			by += " COLLATE " + bytewise
		}
		order = append(order, by)
	}
	return "SELECT " + strings.Join(columns, ", ") + t.from() + " ORDER BY " + strings.Join(order, ", ")
}

const (
	sqliteBytewise   = "BINARY"
	postgresBytewise = `"C"`
)

// cursor goes through rows, of which it holds one. It is what pgx copies from.
type cursor struct {
	rows   *sql.Rows
	values []any // int64, string, []byte or nil, good until the next row
	into   []any
	step   func() // called with each row
	count  int64
	err    error
}

// read begins to read; the cursor must be closed.
func (t *table) read(ctx context.Context, db querier, query string, step func()) (*cursor, error) {
	rows, err := db.QueryContext(ctx, query) //nolint:rowserrcheck // Err does
	if err != nil {
		return nil, err
	}
	c := &cursor{rows: rows, values: make([]any, len(t.columns)), into: make([]any, len(t.columns)), step: step}
	for i := range c.values {
		c.into[i] = &c.values[i]
	}
	return c, nil
}

func (c *cursor) close() { _ = c.rows.Close() } // what went wrong in reading is in Err

// Next goes to the next row.
func (c *cursor) Next() bool {
	if c.err != nil || !c.rows.Next() {
		return false
	}
	if c.err = c.rows.Scan(c.into...); c.err != nil {
		return false
	}
	for i, v := range c.values {
		if b, is := v.([]byte); is && b == nil {
			c.values[i] = []byte{} // nothing is not NULL
		}
	}
	c.count++
	c.step()
	return true
}

// Values are those of the row.
func (c *cursor) Values() ([]any, error) { return c.values, nil }

// Err is why Next ended early.
func (c *cursor) Err() error { return errors.Join(c.err, c.rows.Err()) }

// Sum is what a table holds.
type Sum struct {
	Rows int64
	Hash [sha256.Size]byte
}

// sum is made over the table's name, its columns, and each value with its type
// and length, so that no two contents have the same bytes.
func (t *table) sum(ctx context.Context, db querier, query string, step func()) (Sum, error) {
	c, err := t.read(ctx, db, query, step)
	if err != nil {
		return Sum{}, fmt.Errorf("read table %s: %w", t.name, err)
	}
	defer c.close()
	hash := sha256.New()
	b := appendLong(nil, 't', t.name)
	for _, column := range t.columns {
		b = appendLong(appendLong(b, 'c', column.name), 'k', column.kind)
	}
	hash.Write(b)
	for c.Next() {
		b = append(b[:0], 'r')
		for i, v := range c.values {
			if b, err = appendValue(b, v); err != nil {
				return Sum{}, fmt.Errorf("read column %s of table %s: %w", t.columns[i].name, t.name, err)
			}
		}
		hash.Write(b)
	}
	if err := c.Err(); err != nil {
		return Sum{}, fmt.Errorf("read table %s: %w", t.name, err)
	}
	s := Sum{Rows: c.count}
	hash.Sum(s.Hash[:0])
	return s, nil
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, 'n'), nil
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v)), nil
	case string:
		return appendLong(b, 's', v), nil
	case []byte:
		return appendLong(b, 'b', v), nil
	}
	return nil, fmt.Errorf("a value of type %T is not known here", v)
}

func appendLong[T string | []byte](b []byte, kind byte, v T) []byte {
	return append(binary.BigEndian.AppendUint64(append(b, kind), uint64(len(v))), v...)
}
