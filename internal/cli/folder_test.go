package cli

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"dargah.dev/dargah/internal/store"
)

// A folder whose filling was cut short (a kill while people were made) is
// filled anew, not served half full.
func TestHalfFilledFolderIsFilledAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(context.Background(), store.Folder(dir), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutSetting(context.Background(), "world/state", "partial"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := sandboxed(t, "--data", dir)
	if status, text, err := r.inquire(); status != 200 || err != nil {
		t.Errorf("%d %s %v", status, text, err)
	}
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

func TestKilledWhileFillingStartsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fixtures := filepath.Join(dir, "world.yaml")
	if err := os.WriteFile(fixtures, []byte(killWorld+"population: 300000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	first := command(t, "sandbox", "--listen", "127.0.0.1:0", "--data", data, "--fixtures", fixtures)
	progress, err := first.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for seen, part := "", make([]byte, 256); !strings.Contains(seen, "making people"); {
		n, err := progress.Read(part)
		if err != nil {
			t.Fatalf("no progress: %v %s", err, seen)
		}
		seen += string(part[:n])
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	// That somebody can come between takes many people; to begin again takes few.
	if err := os.WriteFile(fixtures, []byte(killWorld+"population: 5000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := sandboxed(t, "--data", data, "--fixtures", fixtures)
	if status, text, err := again.inquire(); status != 200 || err != nil {
		t.Errorf("%d %s %v", status, text, err)
	}
	if err := again.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

func TestFolderOfANewerVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := sandboxed(t, "--data", dir)
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "dargah.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	status, _, text := say(t, "sandbox", "--listen", "127.0.0.1:0", "--data", dir)
	if status != 1 || !strings.Contains(text, "newer") || !strings.Contains(text, "--reset") {
		t.Errorf("%d %s", status, text)
	}
}

// A lost or foreign master key must not be answered by making a new one.
func TestLostMasterKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := sandboxed(t, "--data", dir)
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	status, _, text := say(t, "sandbox", "--listen", "127.0.0.1:0", "--data", dir)
	if status != 1 || !strings.Contains(text, "master") {
		t.Errorf("%d %s", status, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "master.key")); err == nil {
		t.Error("a new key was made")
	}
}

// A call that is under way when the signal comes gets its answer.
func TestTermWaitsForCallsUnderWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fixtures := filepath.Join(dir, "world.yaml")
	if err := os.WriteFile(fixtures, []byte(killWorld+"scenarios: [{service: person, when: {}, then: {fault: slow, after: 2s}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := sandboxed(t, "--data", filepath.Join(dir, "data"), "--fixtures", fixtures)
	type outcome struct {
		status int
		text   string
		err    error
	}
	answered := make(chan outcome, 1)
	go func() {
		var o outcome
		o.status, o.text, o.err = r.inquire()
		answered <- o
	}()
	select { // the call is in the slow source by now
	case o := <-answered:
		t.Fatalf("answered at once: %+v", o)
	case <-time.After(700 * time.Millisecond):
	}
	start := time.Now()
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("exit: %v\n%s", err, r.errors)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v to end", took)
	}
	if o := <-answered; o.err != nil || o.status != 200 {
		t.Errorf("the call under way: %+v", o)
	}
}
