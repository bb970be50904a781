package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/store"
)

// Folder is an empty installation on SQLite in a folder of the test's own.
func Folder(t testing.TB) store.Location {
	t.Helper()
	at := store.Folder(t.TempDir())
	Migrated(t, at.Dir)
	return at
}

// Migrated puts a database into a folder that has none, as a first start would
// make it: from a copy, since to migrate takes as long as many a test.
func Migrated(t testing.TB, dir string) {
	t.Helper()
	path := file(dir)
	if _, err := os.Stat(path); err == nil {
		return
	}
	content, err := template()
	ok(t, err)
	ok(t, os.MkdirAll(dir, 0o700))
	ok(t, os.WriteFile(path, content, 0o600))
}

var template = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "dargah-template-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := Migrate(store.Folder(dir)); err != nil {
		return nil, err
	}
	return os.ReadFile(file(dir))
})

// Migrate makes an installation and takes its keys away, so that each start on
// a copy of its database makes new ones, as a first start does.
func Migrate(at store.Location) error {
	s, err := store.Open(context.Background(), at, store.Options{})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	db, err := sql.Open(source(at))
	if err != nil {
		return err
	}
	if _, err = db.ExecContext(context.Background(), `DELETE FROM secret`); err != nil {
		err = fmt.Errorf("take the keys away: %w", err)
	}
	return errors.Join(err, db.Close())
}

// source names a store's database for database/sql.
func source(at store.Location) (driver, name string) {
	if at.Database == "" {
		return "sqlite", file(at.Dir)
	}
	return "pgx", at.Database
}

func file(dir string) string { return filepath.Join(dir, "dargah.db") }
