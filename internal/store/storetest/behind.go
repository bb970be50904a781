package storetest

import (
	"database/sql"
	"testing"

	"dargah.dev/dargah/internal/store"
)

// Behind is one connection to a store's database, of somebody who can write
// there and knows nothing of Dargah. On PostgreSQL it adds those functions of
// SQLite that tests use. It is closed at the test's end.
func Behind(t testing.TB, at store.Location) *sql.DB {
	t.Helper()
	db, err := sql.Open(source(at))
	ok(t, err)
	t.Cleanup(func() { ok(t, db.Close()) })
	db.SetMaxOpenConns(1)
	if at.Database == "" {
		return db
	}
	for _, function := range []string{
		`CREATE OR REPLACE FUNCTION zeroblob(n integer) RETURNS bytea LANGUAGE sql AS 'SELECT decode(repeat(''00'', n), ''hex'')'`,
		`CREATE OR REPLACE FUNCTION randomblob(n integer) RETURNS bytea LANGUAGE sql AS 'SELECT substr(sha256(random()::text::bytea), 1, n)'`,
	} {
		_, err := db.ExecContext(t.Context(), function)
		ok(t, err)
	}
	return db
}
