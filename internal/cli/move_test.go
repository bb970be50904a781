package cli

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"dargah.dev/dargah/internal/throwaway"
)

// onDatabase runs a statement as somebody who can reach the database.
func onDatabase(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// asked makes an inquiry at any server that has the world of the greeting.
func asked(t *testing.T, address string, made greeting) string {
	t.Helper()
	answer, err := http.Post(address+"/api/inquiry/person", "application/json", strings.NewReader(inquiry(made)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", answer.Status, text, err)
	}
	return string(text)
}

// without cuts what differs from call to call.
func without(text, from string) string {
	if i := strings.Index(text, from); i >= 0 {
		return text[:i]
	}
	return text
}

func TestMove(t *testing.T) {
	t.Parallel()
	data, url := filepath.Join(t.TempDir(), "data"), throwaway.Database(t)
	r := inquired(t, data, 3)
	before := asked(t, r.greeting.Address, r.greeting)
	said(t, 1, []string{"stop the server first"}, "move", "--data", data, "--to", url)
	stop(t, r)
	out := said(t, 0, []string{
		"the same", "person", "all 4 records of the trail are as they were written, and the books are even",
		"masterKey: " + filepath.Join(data, "master.key"), "dargah move --undo",
	}, "move", "--data", data, "--to", url)
	if strings.Contains(out, "DIFFERS") || strings.Contains(out, "throwaway-password") {
		t.Errorf("printed:\n%s", out)
	}
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--data", data},
		{"sandbox", "--listen", "127.0.0.1:0", "--data", data},
		{"audit", "erase", "--before", "1400/01/01", "--yes", "--data", data},
		{"move", "--data", data, "--to", url},
	} {
		said(t, 1, []string{"this installation was moved to", "dargah move --undo"}, args...)
	}
	said(t, 0, []string{"4 records, all as they were written"}, "audit", "verify", "--data", data) // reading is harmless

	config := file(t, "database: %s\nmasterKey: %s\nlisten: ['127.0.0.1:0']\n", url, filepath.Join(data, "master.key"))
	n := serving(t, nil, "--config", config)
	if after := asked(t, n.Listen[0], r.greeting); without(after, `"requestId"`) != without(before, `"requestId"`) {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
	n.end(t)
	said(t, 0, []string{"5 records, all as they were written"}, "audit", "verify", "--config", config)

	said(t, 1, []string{"--yes", "Stop all servers on the new database"}, "move", "--undo", "--data", data)
	said(t, 0, []string{"can be served again"}, "move", "--undo", "--yes", "--data", data)
	stop(t, sandboxed(t, "--data", data))
}

// TestMoveOfAConfiguration names the new database where the servers will look
// for it.
func TestMoveOfAConfiguration(t *testing.T) {
	t.Parallel()
	dir, _ := furnished(t)
	url := throwaway.Database(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.Rename(filepath.Join(dir, "master.key"), key); err != nil {
		t.Fatal(err)
	}
	config := file(t, "data: %s\ndatabase: %s\nmasterKey: %s\nlisten: ['127.0.0.1:0']\n", dir, url, key)
	said(t, 2, []string{"not the one of --to"}, "move", "--config", config, "--to", url+"x")
	said(t, 0, []string{"masterKey: " + key, "the books are even"}, "move", "--config", config)
	serving(t, nil, "--config", config).end(t)
}

// TestMoveKilled kills a move while a table is being copied.
func TestMoveKilled(t *testing.T) {
	t.Parallel()
	data, url := filepath.Join(t.TempDir(), "data"), throwaway.Database(t)
	stop(t, inquired(t, data, 3))
	config := file(t, "data: %s\ndatabase: %s\nlisten: ['127.0.0.1:0']\n", data, url)
	said(t, 0, nil, "init", "--data", t.TempDir(), "--database", url)
	onDatabase(t, url, `DELETE FROM secret; DELETE FROM setting;
		CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NEW; END';
		CREATE TRIGGER hold BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION hold()`)
	holder, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	if _, err := holder.Exec(t.Context(), `SELECT pg_advisory_lock(77)`); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []os.Signal{syscall.SIGKILL, syscall.SIGINT} {
		cmd := command(t, "move", "--config", config)
		text, err := os.Create(filepath.Join(t.TempDir(), "said"))
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout, cmd.Stderr = text, text
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for waiting := 0; waiting == 0; {
			if info, err := text.Stat(); err != nil || info.Size() > 0 {
				break // it failed too early, as will be seen
			}
			if err := holder.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&waiting); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Process.Signal(signal)
		_ = cmd.Wait() // its text is looked at
		both, err := os.ReadFile(text.Name())
		if err != nil || signal == syscall.SIGINT && !strings.Contains(string(both), "Run the same command again") || signal == syscall.SIGKILL && len(both) > 0 {
			t.Errorf("%v: %s %v", signal, both, err)
		}
		if signal == syscall.SIGKILL { // what waits for the lock has not noticed
			onDatabase(t, url, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		}
		said(t, 1, []string{"was not finished"}, "serve", "--config", config)
		said(t, 1, []string{"was not finished"}, "audit", "verify", "--config", config)
		stop(t, sandboxed(t, "--data", data))
	}
	if err := holder.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	said(t, 0, []string{"the books are even", "all 3 records"}, "move", "--config", config)
	serving(t, nil, "--config", config).end(t)
}

func TestMoveWordsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir, _ := furnished(t)
	said(t, 2, []string{"where to? Give --to"}, "move", "--data", dir)
	said(t, 2, []string{"which installation?"}, "move", "--to", "postgres://x/y")
	said(t, 2, []string{"must be a URL that begins with postgres://"}, "move", "--data", dir, "--to", "mysql://x/y")
	said(t, 1, []string{"was not moved"}, "move", "--data", dir, "--undo", "--yes")
	said(t, 1, []string{"no Dargah database"}, "move", "--data", t.TempDir(), "--to", "postgres://127.0.0.1:1/x")
	out := said(t, 1, []string{"nobody answers at 127.0.0.1:1"}, "move", "--data", dir, "--to", "postgres://u:s3cret@127.0.0.1:1/x")
	if strings.Contains(out, "s3cret") {
		t.Error("the password is printed")
	}
}
