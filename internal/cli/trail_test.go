package cli

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// inquired is a sandbox in dir that has answered so many inquiries.
func inquired(t *testing.T, dir string, calls int) *running {
	t.Helper()
	fixtures := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(fixtures, []byte(killWorld), 0o600); err != nil {
		t.Fatal(err)
	}
	r := sandboxed(t, "--data", dir, "--fixtures", fixtures)
	for range calls {
		if status, text, err := r.inquire(); status != 200 || err != nil {
			t.Fatalf("%d %s %v", status, text, err)
		}
	}
	return r
}

func stop(t *testing.T, r *running) {
	t.Helper()
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, r.errors)
	}
}

// said checks the exit status and that the words are in what was printed.
func said(t *testing.T, status int, words []string, args ...string) (out string) {
	t.Helper()
	got, out, err := say(t, args...)
	if got != status {
		t.Errorf("%v: status %d, want %d\n%s%s", args, got, status, out, err)
	}
	for _, want := range words {
		if !strings.Contains(out+err, want) {
			t.Errorf("%v: %q is not in:\n%s%s", args, want, out, err)
		}
	}
	if strings.Contains(out+err, "goroutine") {
		t.Errorf("%v: a stack trace:\n%s%s", args, out, err)
	}
	return out
}

// spoil changes the database as somebody does who can write it.
func spoil(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "dargah.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestAuditVerify(t *testing.T) {
	t.Parallel()
	dir, anchors := t.TempDir(), filepath.Join(t.TempDir(), "anchors")
	r := inquired(t, dir, 3)
	said(t, 0, []string{"3 records, all as they were written", "No head from outside"}, "audit", "verify", "--data", dir)
	first := said(t, 0, []string{"3:"}, "audit", "head", "--data", dir, "--anchor", anchors)
	if _, _, err := r.inquire(); err != nil {
		t.Fatal(err)
	}
	second := said(t, 0, []string{"4:"}, "audit", "head", "--data", dir, "--anchor", anchors)
	stop(t, r)
	kept, err := os.ReadFile(anchors)
	if err != nil || string(kept) != first+second {
		t.Errorf("anchors %q, printed %q and %q: %v", kept, first, second, err)
	}
	words := strings.Fields(second)
	if head, err := audit.ParseHead(words[0]); err != nil || head.Seq != 4 {
		t.Errorf("%q: %v %v", second, head, err)
	}
	if at, err := time.Parse(time.RFC3339, words[1]); err != nil || time.Since(at) > time.Hour || at.Location() != time.UTC {
		t.Errorf("%q: %v %v", second, at, err)
	}
	said(t, 0, []string{"4 records", "2 head(s) from outside"}, "audit", "verify", "--data", dir, "--anchor", anchors)
	said(t, 0, []string{"1 head(s) from outside"}, "audit", "verify", "--data", dir, "--head", words[0])

	spoil(t, dir, `DELETE FROM audit WHERE seq = 4`, `UPDATE audit_head SET seq = 3, link = (SELECT link FROM audit WHERE seq = 3)`)
	said(t, 0, []string{"3 records", "No head from outside"}, "audit", "verify", "--data", dir) // what the help says it cannot see
	said(t, 1, []string{"record 4: is anchored, but the trail ends at 3", "1 problem"}, "audit", "verify", "--data", dir, "--anchor", anchors)
	said(t, 1, []string{"record 4: is anchored"}, "audit", "verify", "--data", dir, "--head", words[0])
	spoil(t, dir, `UPDATE audit SET price = 0 WHERE seq = 2`)
	out := said(t, 1, []string{"record 2: was changed"}, "audit", "verify", "--data", dir)
	if strings.Contains(out, "all as they were") {
		t.Errorf("praised: %s", out)
	}
}

func TestAuditWordsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stop(t, inquired(t, dir, 1))
	empty, wrong, nowhere := filepath.Join(dir, "empty"), filepath.Join(dir, "wrong"), t.TempDir()
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(wrong, []byte("\n3:zz 2026-11-21\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status int
		want   []string
		args   []string
	}{
		"help":             {0, []string{"verify", "head", "export", "erase"}, []string{"--help"}},
		"verify help":      {0, []string{"--anchor", "--head", "cut off"}, []string{"verify", "--help"}},
		"no folder":        {2, []string{"--data"}, []string{"verify"}},
		"empty folder":     {1, []string{"no Dargah database", "--data"}, []string{"verify", "--data", nowhere}},
		"nothing anchored": {1, []string{"holds no head"}, []string{"verify", "--data", dir, "--anchor", empty}},
		"wrong anchor":     {1, []string{"wrong:2", "64 hexadecimal"}, []string{"verify", "--data", dir, "--anchor", wrong}},
		"no anchor":        {1, []string{"cannot be read"}, []string{"verify", "--data", dir, "--anchor", filepath.Join(nowhere, "x")}},
		"wrong head":       {1, []string{"--head 5", "64 hexadecimal"}, []string{"verify", "--data", dir, "--head", "5"}},
		"format":           {2, []string{"jsonl"}, []string{"export", "--data", dir, "--format", "xml"}},
		"no such day":      {1, []string{"--from", "1405/08/30"}, []string{"export", "--data", dir, "--from", "1404/12/30"}},
		"turned around":    {1, []string{"--from is after --to"}, []string{"export", "--data", dir, "--from", "1404/02/02", "--to", "1404/02/01"}},
		"no account":       {1, []string{"no such account"}, []string{"export", "--data", dir, "--account", "nobody"}},
		"without yes":      {1, []string{"--yes", "for good"}, []string{"erase", "--data", dir, "--before", "1404/01/01"}},
		"future":           {1, []string{"future"}, []string{"erase", "--data", dir, "--before", "1499/01/01", "--yes"}},
		"nothing there":    {1, []string{"no Dargah database"}, []string{"erase", "--data", nowhere, "--before", "1404/01/01", "--yes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said(t, c.status, c.want, append([]string{"audit"}, c.args...)...)
		})
	}
}

func TestAuditExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := inquired(t, dir, 3)
	jsonl := said(t, 0, nil, "audit", "export", "--data", dir)
	var calls []string
	for line := range strings.Lines(jsonl) {
		var e struct {
			Call, Time, Subject, Peer string
			Price                     int64
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if at, err := time.Parse(time.RFC3339Nano, e.Time); err != nil || time.Since(at) > time.Hour || !strings.HasSuffix(e.Time, "Z") {
			t.Errorf("time %q: %v", e.Time, err)
		}
		if e.Price != 1000 || e.Peer != "127.0.0.1" || len(e.Subject) != 32 {
			t.Errorf("%+v", e)
		}
		calls = append(calls, e.Call)
	}
	table, err := csv.NewReader(strings.NewReader(said(t, 0, nil, "audit", "export", "--data", dir, "--format", "csv"))).ReadAll()
	if err != nil || len(table) != 4 || len(calls) != 3 {
		t.Fatalf("%d lines and %d rows: %v", len(calls), len(table), err)
	}
	for i, call := range calls {
		if table[i+1][2] != call {
			t.Errorf("row %d is of %s, want %s", i+1, table[i+1][2], call)
		}
	}
	code := r.greeting.Credentials.NationalCode
	if strings.Contains(jsonl, code) || strings.Contains(jsonl, strings.TrimLeft(code, "0")) {
		t.Error("the person asked about is in the export")
	}
	stop(t, r)
	for want, args := range map[string][]string{
		"by day, both": {"--from", "1400/01/01", "--to", "2121-01-01"}, "from later on": {"--from", "1499/01/01"},
		"up to then": {"--to", "2020-01-01"}, "by name": {"--account", "killed"}, "with domain": {"--account", "killed@sms.kill"},
	} {
		lines := 3
		if strings.Contains(want, "later") || strings.Contains(want, "then") {
			lines = 0
		}
		if out := said(t, 0, nil, append([]string{"audit", "export", "--data", dir}, args...)...); strings.Count(out, "\n") != lines {
			t.Errorf("%s: want %d lines:\n%s", want, lines, out)
		}
	}
}

// Days begin in Tehran, where it is midnight at 20:30 UTC of the day before.
func TestDaysOfTheCommandLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"1405/08/30": "2026-11-20T20:30:00Z", "2026-11-21": "2026-11-20T20:30:00Z", "۱۴۰۵/۰۸/۳۰": "2026-11-20T20:30:00Z"} {
		from, err := day("--from", text, 0)
		if err != nil || from.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v %v", text, from, err)
		}
	}
	to, err := day("--to", "1405/08/30", 1)
	if err != nil || to.UTC().Format(time.RFC3339) != "2026-11-21T20:30:00Z" {
		t.Errorf("the day is not over at its end: %v %v", to, err)
	}
}

func TestAuditErase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := inquired(t, dir, 2)
	erase := []string{"audit", "erase", "--data", dir, "--before", "1404/01/01", "--yes"}
	said(t, 1, []string{"another Dargah process", "stop the server"}, erase...)
	stop(t, r)
	said(t, 0, []string{"0 record(s) erased"}, erase...)
	later := time.Now().Add(48 * time.Hour).Format("2006-01-02")
	said(t, 1, []string{"future"}, "audit", "erase", "--data", dir, "--before", later, "--yes")
	said(t, 0, []string{"2 records, all as they were written"}, "audit", "verify", "--data", dir)
}

// The records are of the summer of 1404; the days on the command line are on
// either side of theirs.
func TestAuditEraseBlanksAndVerifies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Folder(dir), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fund(t, s, 100)
	for _, call := range []string{"one", "two", "three"} {
		if err := s.Commit(t.Context(), storetest.Charge(call, "a0", 1)); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Close(t, s)
	anchor := strings.Fields(said(t, 0, nil, "audit", "head", "--data", dir))[0]
	erase := func(before string) string {
		t.Helper()
		return said(t, 0, nil, "audit", "erase", "--data", dir, "--before", before, "--yes")
	}
	for _, step := range []struct{ before, want string }{
		{"1404/03/25", "0 record(s) erased"}, {"1404/03/26", "3 record(s) erased"}, {"2025-06-16", "0 record(s) erased"},
	} {
		if out := erase(step.before); !strings.Contains(out, step.want) {
			t.Errorf("before %s: %s, want %s", step.before, out, step.want)
		}
	}
	said(t, 0, []string{"3 records, all as they were written; the personal fields of 3 are erased"}, "audit", "verify", "--data", dir, "--head", anchor)
	out := said(t, 0, []string{`"erased":true`, `"peer":""`, `"subject":""`}, "audit", "export", "--data", dir)
	if strings.Contains(out, "192.0.2.7") || strings.Contains(out, "010203") {
		t.Errorf("an erased field is exported:\n%s", out)
	}
	spoil(t, dir, `UPDATE audit SET digest = zeroblob(32) WHERE seq = 2`)
	said(t, 1, []string{"record 2: was changed"}, "audit", "verify", "--data", dir)
}

// Whoever has the folder, but another key, cannot verify, and is told so.
func TestAuditWithAnotherKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stop(t, inquired(t, dir, 1))
	if err := os.WriteFile(filepath.Join(dir, "master.key"), bytes.Repeat([]byte("ab"), 32), 0o600); err != nil {
		t.Fatal(err)
	}
	said(t, 1, []string{"another master.key"}, "audit", "verify", "--data", dir)
	if err := os.Remove(filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	said(t, 1, []string{"master.key"}, "audit", "verify", "--data", dir)
}
