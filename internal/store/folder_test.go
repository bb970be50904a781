package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/seal"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

func TestSecondOpenIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.Must(t, at(t, dir), store.Options{})
	if _, err := store.Open(t.Context(), store.Folder(dir), store.Options{}); !errors.Is(err, store.ErrInUse) {
		t.Fatalf("opened twice: %v", err)
	}
	storetest.Close(t, s)
	storetest.Must(t, at(t, dir), store.Options{})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.Must(t, at(t, dir), store.Options{})
	storetest.Fund(t, s, 5)
	storetest.Close(t, s)
	alter(t, store.Folder(dir), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
	if _, err := store.Open(t.Context(), store.Folder(dir), store.Options{}); !errors.Is(err, store.ErrNewer) {
		t.Fatalf("a newer schema was opened: %v", err)
	}
	alter(t, store.Folder(dir), `DELETE FROM goose_db_version WHERE version_id = 999`)
	if s := storetest.Must(t, at(t, dir), store.Options{}); storetest.Balance(t, s, "a0") != 5 {
		t.Errorf("the refusal changed something: balance %d", storetest.Balance(t, s, "a0"))
	}
}

func TestMasterKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	s := storetest.Must(t, at(t, dir), store.Options{})
	if err := s.PutPeople(t.Context(), storetest.People(0, 3), nil); err != nil {
		t.Fatal(err)
	}
	storetest.Close(t, s)
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(want error, words string) {
		t.Helper()
		_, err := store.Open(t.Context(), store.Folder(dir), store.Options{})
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
			t.Fatalf("opened, or for another reason: %v", err)
		}
		if strings.Contains(err.Error(), string(right[:8])) {
			t.Fatal("the error tells a part of the key")
		}
	}
	put := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(bytes.Map(func(r rune) rune { return r ^ 1 }, bytes.TrimSpace(right))) // another hex key: 0 and 1, 2 and 3 … change places
	refused(nil, "master.key")
	put([]byte(strings.Repeat("0", 64)))
	refused(seal.ErrMasterKey, "another master.key")
	put(right[:40])
	refused(nil, "64 hexadecimal digits")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refused(nil, "is missing: restore it")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("a lost key was replaced by a new one")
	}
	put(right)
	s = storetest.Must(t, at(t, dir), store.Options{})
	if _, err := s.Person(t.Context(), storetest.Code(1)); err != nil {
		t.Errorf("with the right key again: %v", err)
	}
}

func TestOnlyTheOwnerCanRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	dir := filepath.Join(t.TempDir(), "deep", "data")
	storetest.Must(t, at(t, dir), store.Options{})
	var names []string
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		names = append(names, entry.Name())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	want := []string{"dargah.db", "dargah.db-shm", "dargah.db-wal", "data", "lock", "master.key"}
	if !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
}

// TestNothingReadable looks for what must be sealed in every file of a folder,
// before and after the log is moved into the database.
func TestNothingReadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.Must(t, at(t, dir), store.Options{})
	somebody := storetest.Somebody(1)
	code := somebody.NationalCode.Digits()
	storetest.Fund(t, s, 100)
	holder := account.Account{
		ID: "holder", Number: 99, Domain: "example", Username: "09109998877", FirstName: "نامدار", LastName: "صاحبدل",
		Password: "$argon2id$canary", TokenPassword: "$argon2id$other-canary",
	}
	fail := errors.Join(
		s.PutPeople(t.Context(), storetest.People(0, 10), nil),
		s.PutReports(t.Context(), somebody.NationalCode, []credit.Report{{Source: 1, Score: 700, Grade: "CANARY-GRADE"}}),
		s.PutAccounts(t.Context(), []store.Account{{Account: holder}}),
		s.Commit(t.Context(), withSubject(s, code)),
		s.PutSetting(t.Context(), "control", "POSITIVE-CONTROL"),
	)
	if _, err := s.Secret(t.Context(), "signing", func() []byte { return []byte("CANARY-SECRET") }); err != nil || fail != nil {
		t.Fatal(err, fail)
	}
	canaries := []string{
		code, somebody.FirstName, somebody.LastName, somebody.Mobiles[0].Local()[1:], somebody.Address, somebody.PostalCode,
		"CANARY-GRADE", "CANARY-SECRET", holder.Username, holder.FirstName, holder.LastName, holder.Password, holder.TokenPassword,
	}
	search := func(when string) {
		t.Helper()
		found := false
		for name, content := range folder(t, dir) {
			found = found || bytes.Contains(content, []byte("POSITIVE-CONTROL"))
			for i, canary := range canaries {
				if bytes.Contains(content, []byte(canary)) {
					t.Errorf("%s: %s holds canary %d", when, name, i)
				}
			}
		}
		if !found {
			t.Errorf("%s: not even what is kept in the clear was found", when)
		}
	}
	search("open")
	storetest.Close(t, s)
	search("closed")
}

func withSubject(s *store.Store, code string) closing.Closing {
	c := storetest.Charge("c", "a0", 1)
	c.Record.Subject = s.Keyring().Hash("subject", code)
	return c
}

func folder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		content, readErr := os.ReadFile(filepath.Join(dir, entry.Name()))
		files[entry.Name()], err = content, errors.Join(err, readErr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestWeakDurabilityIsRefused: the first row is the positive control.
func TestWeakDurabilityIsRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		from, to string
		good     bool
	}{
		"as opened":       {"", "", true},
		"extra":           {"_synchronous=FULL", "_synchronous=EXTRA", true},
		"normal":          {"_synchronous=FULL", "_synchronous=NORMAL", false},
		"off":             {"_synchronous=FULL", "_synchronous=OFF", false},
		"no log":          {"_journal_mode=WAL", "_journal_mode=DELETE", false},
		"no foreign keys": {"_foreign_keys=1", "_foreign_keys=0", false},
	} {
		dsn := store.DSN(filepath.Join(t.TempDir(), "strange ?#%20 name.db"), false)
		changed := strings.Replace(dsn, row.from, row.to, 1)
		if changed == dsn && row.from != "" {
			t.Fatalf("%s: the name %s has no %s", name, dsn, row.from)
		}
		db, err := sql.Open("sqlite", changed)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.CheckDurable(t.Context(), db); (err == nil) != row.good {
			t.Errorf("%s: %v", name, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", store.DSN(filepath.Join(t.TempDir(), "x.db"), true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE x (y INTEGER)`); err == nil {
		t.Error("a reader wrote")
	}
}

// TestRowsCannotBeSwapped: what was sealed for one row is refused in another.
func TestRowsCannotBeSwapped(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	if err := s.PutPeople(t.Context(), storetest.People(0, 2), nil); err != nil {
		t.Fatal(err)
	}
	sealed := make([][]byte, 2)
	id := func(i int) int64 { return store.PersonID(s, storetest.Code(i)) }
	for i := range sealed {
		if err := s.Writer().QueryRowContext(t.Context(), `SELECT sealed FROM person WHERE id = $1`, id(i)).Scan(&sealed[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range sealed {
		if _, err := s.Writer().ExecContext(t.Context(), `UPDATE person SET sealed = $1 WHERE id = $2`, sealed[1-i], id(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		if _, err := s.Person(t.Context(), storetest.Code(i)); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("person %d was read from another's row: %v", i, err)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(other, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := storetest.Must(t, at(t, dir), store.Options{})
	storetest.Fund(t, s, 7)
	if err := store.Remove(dir); !errors.Is(err, store.ErrInUse) {
		t.Fatalf("removed under an open store: %v", err)
	}
	storetest.Close(t, s)
	if err := store.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("a file that is not the store's is gone: %v", err)
	}
	if s := storetest.Must(t, at(t, dir), store.Options{}); storetest.Balance(t, s, "a0") != 0 {
		t.Error("the wallet is still there")
	}
}
