//go:build unix

package throwaway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"dargah.dev/dargah/internal/throwaway"
)

// helper is the environment variable that makes this binary a process that has
// a server, says where, and waits to be killed.
const helper = "DARGAH_THROWAWAY_HELPER"

func query(t testing.TB, url, text string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var answer string
	if err := conn.QueryRow(t.Context(), text).Scan(&answer); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	return answer
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	one, two := throwaway.Database(t), throwaway.Database(t)
	if query(t, one, `SHOW fsync`) != "on" {
		t.Error("the shared server is one that the store refuses")
	}
	query(t, one, `CREATE TABLE x AS SELECT 1`)
	if query(t, two, `SELECT count(*)::text FROM pg_class WHERE relname = 'x'`) != "0" {
		t.Error("one test's table is in another's database")
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	var filled atomic.Int64
	template := &throwaway.Template{Fill: func(url string) error {
		filled.Add(1)
		query(t, url, `CREATE TABLE x AS SELECT 1`)
		return nil
	}}
	urls := make([]string, 4)
	t.Run("copies", func(t *testing.T) {
		for i := range urls {
			t.Run("", func(t *testing.T) { t.Parallel(); urls[i] = template.Database(t) })
		}
	})
	query(t, urls[0], `DROP TABLE x`)
	for _, url := range urls[1:] {
		if query(t, url, `SELECT count(*)::text FROM x`) != "1" {
			t.Error("a copy lacks what the template holds")
		}
	}
	if filled.Load() != 1 {
		t.Errorf("filled %d times", filled.Load())
	}
}

func TestServerOfItsOwn(t *testing.T) {
	t.Parallel()
	server := throwaway.StartPostgres(t, "synchronous_commit=off")
	url := server.Database(t)
	if got := query(t, url, `SHOW synchronous_commit`); got != "off" {
		t.Errorf("synchronous_commit is %s", got)
	}
	for what, end := range map[string]func(testing.TB){"stopped": server.Stop, "killed": server.Kill} {
		query(t, url, `CREATE TABLE `+what+` AS SELECT 1`)
		query(t, url, `CHECKPOINT`) // what the setting would let go
		end(t)
		if conn, err := pgx.Connect(t.Context(), url); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("%s, and still there", what)
		}
		server.Start(t)
		if query(t, url, `SELECT count(*)::text FROM `+what) != "1" {
			t.Errorf("%s: the row is gone", what)
		}
	}
}

// TestGoneWithTheProcess kills a process that has a server: nothing of it may
// stay behind.
func TestGoneWithTheProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv(helper) != "" {
		url := throwaway.Database(t)
		fmt.Println("HELPER", url, query(t, url, `SHOW data_directory`))
		select {}
	}
	throwaway.Database(t) // or skip
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestGoneWithTheProcess$")
	cmd.Env = append(os.Environ(), helper+"=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for lines := bufio.NewScanner(out); len(words) != 3 && lines.Scan(); {
		words = strings.Fields(lines.Text())
	}
	if len(words) != 3 || words[0] != "HELPER" {
		t.Fatalf("the helper said %q", words)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if _, err := os.Stat(words[2]); errors.Is(err, fs.ErrNotExist) {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the server's folder is still there")
		}
	}
	if conn, err := pgx.Connect(t.Context(), words[1]); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the server outlived the process")
	}
}
