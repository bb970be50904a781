package store_test

import (
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Place { return at(t, t.TempDir()) })
}

// at is a data folder.
func at(t testing.TB, dir string) storetest.Place {
	return func(opts store.Options) (*store.Store, error) {
		return store.Open(t.Context(), store.Folder(dir), opts)
	}
}
