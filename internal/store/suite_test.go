package store_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Place { return at(t, t.TempDir()) })
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Place { return place(t, onPostgres(t)) })
}

// at is a data folder.
func at(t testing.TB, dir string) storetest.Place { return place(t, store.Folder(dir)) }

func place(t testing.TB, location store.Location) storetest.Place {
	return func(opts store.Options) (*store.Store, error) {
		return store.Open(t.Context(), location, opts)
	}
}

// onPostgres is a new, empty database, to which functions are added that SQLite
// has and tests use.
func onPostgres(t testing.TB) store.Location {
	t.Helper()
	at := store.Location{Dir: t.TempDir(), Database: throwaway.Database(t)}
	alter(t, at, `CREATE FUNCTION zeroblob(n integer) RETURNS bytea LANGUAGE sql AS 'SELECT decode(repeat(''00'', n), ''hex'')'`)
	return at
}

// each runs a test on a new, empty place of each engine.
func each(t *testing.T, test func(*testing.T, store.Location)) {
	t.Parallel()
	for name, place := range map[string]func(testing.TB) store.Location{
		"SQLite":     func(t testing.TB) store.Location { return store.Folder(t.TempDir()) },
		"PostgreSQL": onPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, place(t))
		})
	}
}

// database is a connection of somebody who can reach the database, behind the
// store's back.
func database(t testing.TB, at store.Location) *sql.DB {
	t.Helper()
	driver, name := "pgx", at.Database
	if name == "" {
		driver, name = "sqlite", filepath.Join(at.Dir, "dargah.db")
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// alter runs statements, with a semicolon between them.
func alter(t testing.TB, at store.Location, statements string) {
	t.Helper()
	db := database(t, at)
	var err error
	for statement := range strings.SplitSeq(statements, ";") {
		if err == nil {
			_, err = db.ExecContext(t.Context(), statement)
		}
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// written is all that the database and the folder keep.
func written(t *testing.T, at store.Location) map[string][]byte {
	t.Helper()
	if at.Database == "" {
		return folder(t, at.Dir)
	}
	db := database(t, at)
	defer func() { _ = db.Close() }()
	var text string
	if err := db.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(a::text || convert_from(a.subject, 'UTF8'), ''), '') FROM audit a`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"audit": []byte(text)}
}
