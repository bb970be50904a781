package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// verified gives the problems of a trail and how many lines are erased.
func verified(t *testing.T, at store.Location) (problems []audit.Problem, records int64, erased int) {
	t.Helper()
	r, err := store.OpenReader(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	err = r.Trail(t.Context(), store.Part{}, func(state audit.State, lines iter.Seq2[*audit.Line, error]) error {
		v := audit.NewVerifier(r.Chain(), state, nil, func(p audit.Problem) { problems = append(problems, p) })
		for l, err := range lines {
			if err != nil {
				return err
			}
			if v.Add(l); l.Erased() {
				erased++
			}
		}
		v.End()
		records = v.Records()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return problems, records, erased
}

// called is the end of a call at a time, from an address that can be found in
// a file.
func called(i int, at time.Time) closing.Closing {
	c := storetest.Charge("c"+strconv.Itoa(i), "a0", 1)
	c.Record.At = at
	c.Record.Peer = netip.MustParseAddr(fmt.Sprintf("2001:db8:dead::%x", i+0x1000))
	c.Record.Subject = fmt.Appendf(nil, "subject-%07d", i)
	return c
}

// TestReaderBesideTheStore reads while others write: each look is at one
// moment, and holds.
func TestReaderBesideTheStore(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{GroupMax: 8})
		storetest.Fund(t, s, 1<<40)
		const calls = 2000
		var wg sync.WaitGroup
		for caller := range 8 {
			wg.Go(func() {
				for i := caller; i < calls; i += 8 {
					if err := s.Commit(t.Context(), called(i, time.Now())); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		before := int64(0)
		for range 20 {
			problems, records, _ := verified(t, at)
			if len(problems) > 0 || records < before {
				t.Fatalf("%d records after %d: %v", records, before, problems)
			}
			before = records
		}
		wg.Wait()
		if problems, records, _ := verified(t, at); len(problems) > 0 || records != calls {
			t.Errorf("%d records: %v", records, problems)
		}
	})
}

func TestReaderRefuses(t *testing.T) {
	on(t, fresh, func(t *testing.T, at store.Location) {
		refused := func(want error) {
			t.Helper()
			r, err := store.OpenReader(t.Context(), at)
			if err == nil {
				_ = r.Close()
			}
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		refused(store.ErrNoData)
		if files := folder(t, at.Dir); len(files) > 0 {
			t.Errorf("looking made files: %d", len(files))
		}
		storetest.Close(t, storetest.Must(t, place(t, at), store.Options{}))
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

// TestReaderChangesNothing, not even where a crash left a log behind.
func TestReaderChangesNothing(t *testing.T) {
	t.Parallel()
	dir, crashed := t.TempDir(), t.TempDir()
	s := storetest.Must(t, at(t, dir), store.Options{})
	storetest.Fund(t, s, 100)
	for i := range 10 {
		if err := s.Commit(t.Context(), called(i, time.Now())); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"dargah.db", "dargah.db-wal", "master.key"} { // as after a power cut
		if err := os.WriteFile(filepath.Join(crashed, name), folder(t, dir)[name], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Close(t, s)
	for what, dir := range map[string]string{"closed": dir, "crashed": crashed} {
		before := folder(t, dir)
		if problems, records, _ := verified(t, store.Folder(dir)); len(problems) > 0 || records != 10 {
			t.Errorf("%s: %d records: %v", what, records, problems)
		}
		after := folder(t, dir)
		for name, content := range before {
			if !bytes.Equal(after[name], content) {
				t.Errorf("%s: %s was changed", what, name)
			}
		}
		if problems, records, _ := verified(t, store.Folder(dir)); len(problems) > 0 || records != 10 {
			t.Errorf("%s, again: %d records: %v", what, records, problems)
		}
		storetest.Must(t, at(t, dir), store.Options{}) // what the reader may have left is in nobody's way
	}
}

// TestChangedEndIsRefused: neither at the start nor while it runs does the
// store go on from an end of the trail that it did not write.
func TestChangedEndIsRefused(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 100)
		for i := range 3 {
			if err := s.Commit(t.Context(), called(i, time.Now())); err != nil {
				t.Fatal(err)
			}
		}
		storetest.Close(t, s)
		alter(t, at, `CREATE TABLE kept AS SELECT * FROM audit`)
		alter(t, at, `CREATE TABLE kept_head AS SELECT * FROM audit_head`)
		for statement, says := range map[string]string{
			`DELETE FROM audit WHERE seq = 3`: "its head is at record 3, and the last record that is there is 2",
			`INSERT INTO audit SELECT 4, call, at, took_us, dialect, service, method, account, peer, outcome, price, source, subject, document, salt, digest, link FROM audit WHERE seq = 3`: "its head is at record 3, and there are records up to 4",
			`UPDATE audit SET link = zeroblob(32) WHERE seq = 3`: "record 3, its last one, and its head have not the same link",
			`UPDATE audit SET link = zeroblob(1) WHERE seq = 3`:  "record 3, its last one, and its head have not the same link",
			`UPDATE audit_head SET link = zeroblob(32)`:          "record 3, its last one, and its head have not the same link",
			`DELETE FROM audit_head`:                             "its head is missing",
			`DELETE FROM audit`:                                  "its head is at record 3, and the last record that is there is 0",
		} {
			alter(t, at, statement)
			for how, open := range map[string]func(context.Context, store.Location, store.Options) (*store.Store, error){
				"opened": store.Open, "attached": store.Attach,
			} {
				if _, err := open(t.Context(), at, store.Options{}); !errors.Is(err, store.ErrTrail) || !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %s: %v, want %q", statement, how, err, says)
				}
			}
			alter(t, at, restored)
		}
		storetest.Must(t, place(t, at), store.Options{})
	})
}

// restored undoes what was done since the tables were copied.
const restored = `DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM kept_head`

func TestHeadChangedUnderARunningStore(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 100)
		commit := func(i int) error { return s.Commit(t.Context(), called(i, time.Now())) }
		db := storetest.Behind(t, at)
		change := func(statement string) {
			t.Helper()
			for part := range strings.SplitSeq(statement, ";") {
				if _, err := db.ExecContext(t.Context(), part); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := errors.Join(commit(1), commit(2)); err != nil {
			t.Fatal(err)
		}
		change(`CREATE TABLE kept AS SELECT * FROM audit`)
		change(`CREATE TABLE kept_head AS SELECT * FROM audit_head`)
		for statement, says := range map[string]string{
			`UPDATE audit_head SET seq = 1, link = (SELECT link FROM audit WHERE seq = 1); DELETE FROM audit WHERE seq = 2`: "it ends at record 1, and this server wrote record 2",
			`UPDATE audit_head SET seq = 0, link = zeroblob(32); DELETE FROM audit`:                                         "it ends at record 0, and this server wrote record 2",
			`UPDATE audit_head SET link = zeroblob(32); UPDATE audit SET link = zeroblob(32) WHERE seq = 2`:                 "its record 2 is another one than this server wrote",
			`UPDATE audit_head SET seq = 3; UPDATE audit SET seq = 3 WHERE seq = 2`:                                         "its record 2 is another one than this server wrote",
			`UPDATE audit_head SET link = zeroblob(1)`:                                                                      "",
			`DELETE FROM audit_head`: "its head is missing",
		} {
			change(statement)
			if err := commit(3); !errors.Is(err, store.ErrTrail) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: a call was recorded after it, or it is not told: %v", statement, err)
			}
			if err := s.Ready(t.Context()); !errors.Is(err, store.ErrTrail) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: ready, or it is not told why not: %v", statement, err)
			}
			change(restored)
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("%s: not ready when it was undone: %v", statement, err)
			}
		}
		if err := commit(4); err != nil || storetest.Balance(t, s, "a0") != 97 {
			t.Errorf("as it was again: %v, balance %d", err, storetest.Balance(t, s, "a0"))
		}
	})
}

// TestErase blanks what is old, in the file too, and the trail still holds.
func TestErase(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 1<<40)
		limit := time.Now().Add(-24 * time.Hour).Truncate(time.Hour)
		const old, young = 600, 40
		for _, err := range storetest.Together(old+young, func(i int) error {
			when := limit.Add(time.Duration(i-old) * time.Second) // the first young one is at the limit itself
			return s.Commit(t.Context(), called(i, when))
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		var all map[string][]byte
		holds := func(i int) bool {
			needles := [][]byte{fmt.Appendf(nil, "subject-%07d", i), fmt.Appendf(nil, "2001:db8:dead::%x", i+0x1000)}
			for _, content := range all {
				for _, needle := range needles {
					if bytes.Contains(content, needle) {
						return true
					}
				}
			}
			return false
		}
		steps := 0
		for _, want := range []int64{old, 0} {
			n, err := s.Erase(t.Context(), limit, func(_, _ int64) { steps++ })
			if err != nil || n != want {
				t.Errorf("%d erased, want %d: %v", n, want, err)
			}
		}
		if _, err := s.Erase(t.Context(), limit.Add(-time.Hour), func(_, _ int64) {}); err != nil { // an earlier day takes nothing back
			t.Error(err)
		}
		if _, err := s.Erase(t.Context(), time.Now().Add(time.Hour), func(_, _ int64) {}); err == nil {
			t.Error("what is yet to come was erased")
		}
		if err := s.Commit(t.Context(), called(old+young, time.Now())); err != nil {
			t.Errorf("after an erasure: %v", err)
		}
		storetest.Close(t, s)
		if steps == 0 {
			t.Error("no progress was told")
		}
		if problems, records, erased := verified(t, at); len(problems) > 0 || records != old+young+1 || erased != old {
			t.Errorf("%d records, %d of them erased: %v", records, erased, problems)
		}
		all = written(t, at)
		for i := range old + young {
			if got := holds(i); got != (i >= old) {
				t.Fatalf("personal fields of %d are in the files: %v", i, got)
			}
		}
		erasedAndChanged(t, at, limit)
	})
}

func erasedAndChanged(t *testing.T, at store.Location, limit time.Time) {
	t.Helper()
	alter(t, at, `CREATE TABLE kept AS SELECT * FROM audit`)
	for name, statement := range map[string]string{
		"digest":         `UPDATE audit SET digest = zeroblob(32) WHERE seq = 7`,
		"a peer again":   `UPDATE audit SET peer = '192.0.2.1' WHERE seq = 7`,
		"a salt again":   `UPDATE audit SET salt = zeroblob(16) WHERE seq = 7`,
		"a subject":      `UPDATE audit SET subject = zeroblob(1) WHERE seq = 7`,
		"a young one":    fmt.Sprintf(`UPDATE audit SET peer = '', subject = zeroblob(0), salt = zeroblob(0) WHERE at >= %d`, limit.UnixMicro()),
		"made older":     `UPDATE audit SET at = 0 WHERE seq = (SELECT max(seq) FROM audit)`,
		"the limit":      `UPDATE audit_head SET erased_before = erased_before + 1`,
		"no note of it":  `UPDATE audit_head SET erased_before = 0, erased_mark = zeroblob(0)`,
		"the mark alone": `UPDATE audit_head SET erased_mark = zeroblob(32)`,
	} {
		alter(t, at, `CREATE TABLE kept_head AS SELECT * FROM audit_head`)
		alter(t, at, statement)
		if problems, _, _ := verified(t, at); len(problems) == 0 {
			t.Errorf("%s: not detected", name)
		}
		alter(t, at, restored+`; DROP TABLE kept_head`)
	}
	if problems, _, _ := verified(t, at); len(problems) > 0 {
		t.Errorf("after all was undone: %v", problems)
	}
}

func TestAccountID(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 1, 1)
		r, err := store.OpenReader(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		for name, want := range map[string]string{
			"a0": "a0", "user1": "a1", "USER1": "a1", "user1@example": "a1", "user2": "", "user1@nowhere": "", "": "",
		} {
			id, err := r.AccountID(t.Context(), name)
			if id != want || (want == "") != errors.Is(err, store.ErrNoAccount) {
				t.Errorf("%q: %q %v", name, id, err)
			}
		}
	})
}
