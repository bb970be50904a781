package store_test

import (
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

// onPostgres is a new, empty database.
func onPostgres(t testing.TB) store.Location {
	t.Helper()
	return store.Location{Dir: t.TempDir(), Database: throwaway.Database(t)}
}
