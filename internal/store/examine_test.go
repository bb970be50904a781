package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
)

// complaints are the findings that are not ok. How fast and how full the
// machine is that runs the tests is left out.
func complaints(l finding.List) (all []string) {
	for _, f := range l {
		switch f.About {
		case "disk", "flush", "commit", "round trip", "connections":
			continue
		}
		if f.Level != finding.OK {
			all = append(all, f.Level.String()+" "+f.About+": "+f.Says)
		}
	}
	return all
}

// TestExamine looks beside a running server, and changes nothing.
func TestExamine(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 1000)
		for _, call := range []string{"a", "b", "c"} {
			must(t, s.Commit(t.Context(), storetest.Charge(call, "a0", 1)))
		}
		about, inMemory := map[string]bool{}, false // as the temporary folder may
		for _, running := range []bool{true, false} {
			if !running {
				storetest.Close(t, s)
			}
			before := folder(t, at.Dir)
			for _, full := range []bool{false, true} {
				l := store.Examine(t.Context(), at, store.ExamineOptions{Full: full})
				if found := complaints(l); len(found) > 0 {
					t.Errorf("running: %v, full: %v: %q", running, full, found)
				}
				for _, f := range l {
					about[f.About] = true
					inMemory = inMemory || f.About == "disk" && strings.Contains(f.Says, "lies in memory")
				}
			}
			after := folder(t, at.Dir)
			for _, name := range []string{"dargah.db", "dargah.db-wal", "master.key"} {
				if !bytes.Equal(before[name], after[name]) {
					t.Errorf("running: %v: looking changed %s", running, name)
				}
			}
			for name := range after {
				if strings.Contains(name, "doctor") {
					t.Errorf("%s was left behind", name)
				}
			}
		}
		want := []string{"master key", "schema", "trail", "books", "SQLite"}
		if flushed := at.Database == "" && !inMemory; about["flush"] != flushed {
			t.Errorf("the time of a flush is told: %v, want %v", about["flush"], flushed)
		}
		if at.Database != "" {
			want = []string{"master key", "schema", "trail", "books", "PostgreSQL", "round trip", "clocks", "connections", "commit"}
		}
		for _, w := range want {
			if !about[w] {
				t.Errorf("nothing is said of %s", w)
			}
		}
	})
}

func TestExamineFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	key := func(at store.Location) string { return filepath.Join(at.Dir, "master.key") }
	for what, c := range map[string]struct {
		harm func(t *testing.T, at store.Location)
		full bool
		want []string
	}{
		"no key":   {func(t *testing.T, at store.Location) { must(t, os.Remove(key(at))) }, false, []string{"problem master key: "}},
		"open key": {func(t *testing.T, at store.Location) { must(t, os.Chmod(key(at), 0o640)) }, false, []string{"problem master key: "}},
		"half key": {func(t *testing.T, at store.Location) { must(t, os.Truncate(key(at), 9)) }, false, []string{"problem master key: ", "problem installation: "}},
		"other key": {func(t *testing.T, at store.Location) {
			must(t, os.WriteFile(key(at), bytes.Repeat([]byte("ab"), 32), 0o600))
		}, false, []string{"problem master key: "}},
		"head":   {func(t *testing.T, at store.Location) { alter(t, at, `UPDATE audit_head SET seq = 1`) }, false, []string{"problem trail: "}},
		"books":  {func(t *testing.T, at store.Location) { alter(t, at, `UPDATE wallet SET balance = balance + 1`) }, false, []string{"problem books: "}},
		"unseen": {func(t *testing.T, at store.Location) { alter(t, at, `UPDATE audit SET price = 0 WHERE seq = 2`) }, false, nil},
		"record": {func(t *testing.T, at store.Location) { alter(t, at, `UPDATE audit SET price = 0 WHERE seq = 2`) }, true, []string{"problem trail: "}},
		"older": {func(t *testing.T, at store.Location) {
			alter(t, at, `DELETE FROM goose_db_version WHERE version_id > 1`)
		}, false, []string{"problem schema: "}},
		"newer": {func(t *testing.T, at store.Location) {
			alter(t, at, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
		}, false, []string{"problem schema: "}},
		"moved": {func(t *testing.T, at store.Location) {
			alter(t, at, `INSERT INTO setting VALUES ('store/move', '{"stage":"moved"}')`)
		}, false, []string{"problem installation: "}},
		"half moved": {func(t *testing.T, at store.Location) {
			alter(t, at, `INSERT INTO setting VALUES ('store/move', '{"stage":"copying"}')`)
		}, false, []string{"problem installation: "}},
	} {
		t.Run(what, func(t *testing.T) {
			each(t, func(t *testing.T, at store.Location) {
				s := storetest.Must(t, place(t, at), store.Options{})
				storetest.Fund(t, s, 1000)
				for _, call := range []string{"a", "b", "c"} {
					must(t, s.Commit(t.Context(), storetest.Charge(call, "a0", 1)))
				}
				storetest.Close(t, s)
				c.harm(t, at)
				var found []string
				for i, text := range complaints(store.Examine(t.Context(), at, store.ExamineOptions{Full: c.full})) {
					if i < len(c.want) && strings.HasPrefix(text, c.want[i]) {
						text = c.want[i]
					}
					found = append(found, text)
				}
				if diff := cmp.Diff(c.want, found); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestExamineADamagedFile(t *testing.T) {
	t.Parallel()
	at := store.Folder(t.TempDir())
	s := storetest.Must(t, place(t, at), store.Options{})
	must(t, s.PutPeople(t.Context(), storetest.People(0, 1000), nil)) // more pages than are damaged
	storetest.Close(t, s)
	path := filepath.Join(at.Dir, "dargah.db")
	file, err := os.ReadFile(path)
	must(t, err)
	const page = 4096
	copy(file[len(file)-40*page:len(file)-38*page], make([]byte, 2*page))
	must(t, os.WriteFile(path, file, 0o644)) //nolint:gosec // that is to be found
	must(t, os.Chmod(path, 0o644))           //nolint:gosec // whatever the umask says
	must(t, os.Chmod(at.Dir, 0o777))         //nolint:gosec // likewise
	found := strings.Join(complaints(store.Examine(t.Context(), at, store.ExamineOptions{})), "\n")
	for _, want := range []string{"problem SQLite: quick_check: the file is damaged", "warning SQLite: " + path + " can be read by others", "warning data folder: " + at.Dir} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is not in:\n%s", want, found)
		}
	}
}

func TestExamineUnsafeServers(t *testing.T) {
	t.Parallel()
	at := store.Location{Dir: t.TempDir(), Database: throwaway.Database(t)}
	storetest.Close(t, storetest.Must(t, place(t, at), store.Options{}))
	found := complaints(store.Examine(t.Context(), store.Location{Dir: at.Dir, Database: "postgres://dargah:s3cret@127.0.0.1:1/x"}, store.ExamineOptions{}))
	if text := strings.Join(found, "\n"); !strings.Contains(text, "nobody answers at 127.0.0.1:1") || strings.Contains(text, "s3cret") {
		t.Error(text)
	}
	unsafe := throwaway.StartPostgres(t, "fsync=off")
	at.Database = unsafe.Database(t)
	found = complaints(store.Examine(t.Context(), at, store.ExamineOptions{}))
	if text := strings.Join(found, "\n"); !strings.Contains(text, "fsync is off") || !strings.Contains(text, "no Dargah database") {
		t.Error(text)
	}
}

func TestJudgeDisk(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for what, c := range map[string]struct {
		disk store.Disk
		size int64
		want finding.Level
	}{
		"good":                {store.Disk{Free: 10 * gib}, gib, finding.OK},
		"network":             {store.Disk{Free: 10 * gib, Kind: "NFS", Network: true}, 0, finding.Problem},
		"memory":              {store.Disk{Free: 10 * gib, Kind: "tmpfs", Memory: true}, 0, finding.Problem},
		"layer":               {store.Disk{Free: 10 * gib, Layer: true}, 0, finding.Warning},
		"full":                {store.Disk{Free: gib / 8}, 0, finding.Problem},
		"nearly full":         {store.Disk{Free: gib}, 0, finding.Warning},
		"no room to erase in": {store.Disk{Free: 10 * gib}, 11 * gib, finding.Warning},
	} {
		l := store.JudgeDisk("/data", c.disk, c.size)
		if worst := c.want; len(l) != min(1, int(worst)) || worst != finding.OK && l.Count(worst) != 1 {
			t.Errorf("%s: %v", what, l)
		}
	}
}
