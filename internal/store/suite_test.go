package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Place { return place(t, storetest.Folder(t)) })
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Place { return place(t, migrated["PostgreSQL"](t)) })
}

// at is a data folder.
func at(t testing.TB, dir string) storetest.Place { return place(t, store.Folder(dir)) }

func place(t testing.TB, location store.Location) storetest.Place {
	return func(opts store.Options) (*store.Store, error) {
		return store.Open(t.Context(), location, opts)
	}
}

// onPostgres is a new, empty database.
func onPostgres(t testing.TB) store.Location {
	t.Helper()
	return store.Location{Dir: t.TempDir(), Database: throwaway.Database(t)}
}

// migrated and fresh make new places of each engine: with our schema, and with
// nothing at all.
var (
	migrated = map[string]func(testing.TB) store.Location{
		"SQLite": storetest.Folder,
		"PostgreSQL": func(t testing.TB) store.Location {
			return store.Location{Dir: t.TempDir(), Database: template.Database(t)}
		},
	}
	fresh = map[string]func(testing.TB) store.Location{
		"SQLite":     func(t testing.TB) store.Location { return store.Folder(t.TempDir()) },
		"PostgreSQL": onPostgres,
	}
)

var template = throwaway.Template{Fill: func(url string) error {
	dir, err := os.MkdirTemp("", "dargah-template-")
	if err != nil {
		return err
	}
	return errors.Join(storetest.Migrate(store.Location{Dir: dir, Database: url}), os.RemoveAll(dir))
}}

// each runs a test on a new place of each engine that no server has run on.
func each(t *testing.T, test func(*testing.T, store.Location)) {
	t.Helper()
	on(t, migrated, test)
}

func on(t *testing.T, places map[string]func(testing.TB) store.Location, test func(*testing.T, store.Location)) {
	t.Parallel()
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, place(t))
		})
	}
}

// alter runs statements, with a semicolon between them, behind the store's back.
func alter(t testing.TB, at store.Location, statements string) {
	t.Helper()
	db := storetest.Behind(t, at)
	for statement := range strings.SplitSeq(statements, ";") {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// migrateBy runs a migration again, after it was undone.
func migrateBy(t testing.TB, at store.Location, name string) {
	t.Helper()
	engine := "sqlite"
	if at.Database != "" {
		engine = "postgres"
	}
	migration, err := os.ReadFile(filepath.Join("migration", engine, name))
	must(t, err)
	alter(t, at, regexp.MustCompile(`(?m)^--.*$`).ReplaceAllString(string(migration), ""))
}

// written is all that the database and the folder keep.
func written(t *testing.T, at store.Location) map[string][]byte {
	t.Helper()
	if at.Database == "" {
		return folder(t, at.Dir)
	}
	db := storetest.Behind(t, at)
	var text string
	if err := db.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(a::text || convert_from(a.subject, 'UTF8'), ''), '') FROM audit a`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"audit": []byte(text)}
}

// read gives the values of all rows of a query.
func read(t testing.TB, db *sql.DB, query string) (all [][]any) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
