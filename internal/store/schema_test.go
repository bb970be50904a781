package store_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	godiff "github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// table is what both engines must agree on.
type table struct {
	Columns []string // in their order: name, kind, default
	Keys    []string // primary and unique keys, indexes, foreign keys: sorted
	Checks  int
}

// TestSchemas: the migrations of both engines make the same tables.
func TestSchemas(t *testing.T) {
	t.Parallel()
	folder, server := store.Folder(t.TempDir()), onPostgres(t)
	for _, at := range []store.Location{folder, server} {
		storetest.Close(t, storetest.Must(t, place(t, at), store.Options{}))
	}
	lite, postgres := storetest.Behind(t, folder), storetest.Behind(t, server)
	want, got := sqliteTables(t, lite), postgresTables(t, postgres)
	// See the migration 00012_books.
	got["entry"].Keys = slices.DeleteFunc(got["entry"].Keys, func(key string) bool { return key == "unique seq" })
	if diff := godiff.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(want) < 20 || len(want["entry"].Columns) < 8 || len(want["entry"].Keys) < 1 || want["entry"].Checks != 1 {
		t.Errorf("the tables were not read: %d of them, entry is %+v", len(want), want["entry"])
	}
}

// TestTemplates: what most tests start from is what a first start makes.
func TestTemplates(t *testing.T) {
	t.Parallel()
	for engine := range fresh {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			want, keys := opened(t, fresh[engine](t))
			for range 2 {
				got, others := opened(t, migrated[engine](t))
				if diff := godiff.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if keys == others {
					t.Error("two installations have the same keys")
				}
				keys = others
			}
			if len(want) < 20 || want["secret"] < 1 || want["audit_head"] != 1 {
				t.Errorf("the tables were not read: %d of them, %d secrets", len(want), want["secret"])
			}
		})
	}
}

// opened is how many rows each table has after a first start, with each row as
// text where it is the same every time, and the keys.
func opened(t *testing.T, at store.Location) (found map[string]int, keys string) {
	t.Helper()
	storetest.Close(t, storetest.Must(t, place(t, at), store.Options{}))
	db := storetest.Behind(t, at)
	tables := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	if at.Database != "" {
		tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	found = map[string]int{}
	for _, row := range read(t, db, tables) {
		name := fmt.Sprint(row[0])
		all := read(t, db, "SELECT * FROM "+name)
		found[name] = len(all)
		for _, values := range all {
			if name != "secret" && name != "goose_db_version" { // what is random, and what has the time
				found[name+fmt.Sprint(values)]++
			}
		}
	}
	return found, fmt.Sprint(read(t, db, "SELECT name, sealed FROM secret ORDER BY name"))
}

// TestSameMigrations: a schema's number means the same on both engines.
func TestSameMigrations(t *testing.T) {
	t.Parallel()
	names := func(engine string) []string {
		files, err := fs.Glob(os.DirFS("migration"), engine+"/*")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", engine, len(files), err)
		}
		for i := range files {
			files[i] = strings.TrimPrefix(files[i], engine+"/")
		}
		return files
	}
	if diff := godiff.Diff(names("sqlite"), names("postgres")); diff != "" {
		t.Error(diff)
	}
}

// rows calls do with each row's values as text.
func rows(t *testing.T, db *sql.DB, do func(row []string), query string, args ...any) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, v := range values {
			row[i] = v.String
		}
		do(row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func sqliteTables(t *testing.T, db *sql.DB) map[string]*table {
	tables := map[string]*table{}
	rows(t, db, func(r []string) { tables[r[0]] = &table{Checks: strings.Count(r[1], "CHECK (")} },
		`SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'goose_db_version'`)
	for name, tab := range tables {
		primary := map[string]string{}
		rows(t, db, func(r []string) {
			if r[4] != "0" {
				primary[r[4]] = r[0]
			} else if r[2] != "1" {
				t.Errorf("%s.%s may be NULL on SQLite", name, r[0])
			}
			tab.Columns = append(tab.Columns, fmt.Sprint(r[0], " ", r[1], " ", strings.TrimPrefix(r[3], "x")))
		}, `SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info($1) ORDER BY cid`, name)
		key := "primary"
		for i := range len(primary) {
			key += " " + primary[fmt.Sprint(i+1)]
		}
		tab.Keys = append(tab.Keys, key)
		var indexes [][]string
		rows(t, db, func(r []string) { indexes = append(indexes, r) },
			`SELECT name, "unique" FROM pragma_index_list($1) WHERE origin <> 'pk'`, name)
		for _, index := range indexes {
			key := "index"
			if index[1] == "1" {
				key = "unique"
			}
			// An expression has no name, here as there.
			rows(t, db, func(r []string) { key += " " + r[0] }, `SELECT name FROM pragma_index_info($1) WHERE name IS NOT NULL ORDER BY seqno`, index[0])
			tab.Keys = append(tab.Keys, key)
		}
		rows(t, db, func(r []string) { tab.Keys = append(tab.Keys, fmt.Sprintf("foreign %s to %s %s", r[0], r[1], r[2])) },
			`SELECT "from", "table", "to" FROM pragma_foreign_key_list($1)`, name)
		slices.SortFunc(tab.Keys, cmp.Compare[string])
	}
	return tables
}

func postgresTables(t *testing.T, db *sql.DB) map[string]*table {
	kinds := map[string]string{"bigint": "INTEGER", "text": "TEXT", "bytea": "BLOB"}
	tables := map[string]*table{}
	rows(t, db, func(r []string) {
		name := r[0]
		if tables[name] == nil {
			tables[name] = &table{}
		}
		if r[3] != "NO" {
			t.Errorf("%s.%s may be NULL on PostgreSQL", name, r[1])
		}
		if r[2] == "text" && r[5] != "C" {
			t.Errorf("%s.%s is sorted by the rules of a language", name, r[1])
		}
		standard, _, _ := strings.Cut(r[4], "::")
		tables[name].Columns = append(tables[name].Columns, fmt.Sprint(r[1], " ", kinds[r[2]], " ", strings.Replace(standard, `'\x`, "'", 1)))
	}, `SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name FROM information_schema.columns
		JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'goose_db_version' ORDER BY table_name, ordinal_position`)
	rows(t, db, func(r []string) {
		kind := "index"
		if r[1] == "true" {
			kind = "primary"
		} else if r[2] == "true" {
			kind = "unique"
		}
		tables[r[0]].Keys = append(tables[r[0]].Keys, kind+" "+r[3])
	}, `SELECT c.relname, i.indisprimary::text, i.indisunique::text, string_agg(a.attname, ' ' ORDER BY array_position(i.indkey, a.attnum))
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
		WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'goose_db_version' GROUP BY c.relname, i.indexrelid, i.indisprimary, i.indisunique`)
	rows(t, db, func(r []string) {
		if r[1] == "c" {
			tables[r[0]].Checks++
			return
		}
		tables[r[0]].Keys = append(tables[r[0]].Keys, fmt.Sprintf("foreign %s to %s %s", r[2], r[3], r[4]))
	}, `SELECT k.conrelid::regclass, k.contype, a.attname, k.confrelid::regclass, f.attname FROM pg_constraint k
		LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
		LEFT JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
		WHERE k.contype IN ('c', 'f') AND k.connamespace = 'public'::regnamespace`)
	for _, tab := range tables {
		slices.SortFunc(tab.Keys, cmp.Compare[string])
	}
	return tables
}
