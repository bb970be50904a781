package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// attached opens what is there as a command does.
func attached(t *testing.T, at store.Location) *store.Store {
	t.Helper()
	return storetest.Must(t, func(opts store.Options) (*store.Store, error) {
		return store.Attach(t.Context(), at, opts)
	}, store.Options{})
}

// TestAttach has commands come and go while a server charges.
func TestAttach(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{GroupMax: 8})
		const calls, commands = 400, 10
		storetest.Fund(t, s, calls+commands)
		var wg sync.WaitGroup
		for caller := range 4 {
			wg.Go(func() {
				for i := caller; i < calls; i += 4 {
					if err := s.Commit(t.Context(), storetest.Charge("server-"+strconv.Itoa(i), "a0", 1)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for i := range commands {
			c := attached(t, at)
			if n := c.Prepared(); n > 0 {
				t.Errorf("a command prepares %d statements", n)
			}
			if err := c.Commit(t.Context(), storetest.Charge("command-"+strconv.Itoa(i), "a0", 1)); err != nil {
				t.Error(err)
			}
			if err := c.PutPrices(t.Context(), map[string]int64{"person": int64(i)}); err != nil {
				t.Error(err)
			}
			storetest.Close(t, c)
		}
		wg.Wait()
		if _, err := store.Open(t.Context(), at, store.Options{}); !s.Shared() && !errors.Is(err, store.ErrInUse) {
			t.Errorf("after the commands the folder is free: %v", err)
		}
		if prices, err := s.Prices(t.Context()); err != nil || prices["person"] != commands-1 {
			t.Errorf("the server sees the price %d: %v", prices["person"], err)
		}
		if problems, records, _ := verified(t, at); len(problems) > 0 || records != calls+commands {
			t.Errorf("%d records: %v", records, problems)
		}
		storetest.Balanced(t, s, "a0")
	})
}

// TestAttachLeavesTheLog: what the server wrote stays where it was written.
func TestAttachLeavesTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.Must(t, at(t, dir), store.Options{})
	storetest.Fund(t, s, 100)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "dargah.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	storetest.Close(t, attached(t, store.Folder(dir)))
	if after := size(); after < before || before == 0 {
		t.Errorf("the log had %d bytes, and has %d", before, after)
	}
	if err := s.Commit(t.Context(), storetest.Charge("after", "a0", 1)); err != nil {
		t.Error(err)
	}
}

func TestAttachRefuses(t *testing.T) {
	on(t, fresh, func(t *testing.T, at store.Location) {
		refused := func(want error) {
			t.Helper()
			s, err := store.Attach(t.Context(), at, store.Options{})
			if err == nil {
				storetest.Close(t, s)
			}
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		refused(store.ErrNoData)
		if files := folder(t, at.Dir); len(files) > 0 {
			t.Errorf("looking made %d files", len(files))
		}
		storetest.Close(t, storetest.Must(t, place(t, at), store.Options{}))
		storetest.Close(t, attached(t, at)) // alone: it is the last to leave
		alter(t, at, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
		refused(store.ErrNewer)
		alter(t, at, `DELETE FROM goose_db_version WHERE version_id = 999`)
		alter(t, at, `UPDATE goose_db_version SET version_id = -version_id WHERE abs(version_id) > 1`)
		refused(store.ErrOlder)
		alter(t, at, `UPDATE goose_db_version SET version_id = -version_id WHERE abs(version_id) > 1`)
		if err := os.Remove(filepath.Join(at.Dir, "master.key")); err != nil {
			t.Fatal(err)
		}
		refused(os.ErrNotExist)
	})
}
