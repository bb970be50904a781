package throwaway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Redis is a Redis server that keeps nothing on disk: it always starts empty.
type Redis struct {
	Port     int // on 127.0.0.1
	binary   string
	folder   string
	settings []string
	process  *process
}

// StartRedis starts a server of the test's own, with settings like
// "--requirepass", "secret". It is gone at the test's end.
func StartRedis(t testing.TB, settings ...string) *Redis {
	t.Helper()
	binary, err := findRedis()
	if err != nil {
		Lack(t, err)
	}
	r := &Redis{binary: binary, settings: settings}
	if r.Port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	if r.folder, err = makeFolder("dargah-redis-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.process == nil {
			_ = os.RemoveAll(r.folder)
		} else if err := errors.Join(r.process.discard(), os.RemoveAll(r.folder)); err != nil {
			t.Error(err)
		}
	})
	r.Start(t)
	return r
}

// findRedis does without find: redis-server is a link whose own name tells the
// program what to be.
var findRedis = sync.OnceValues(func() (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", errors.New("redis-server is not installed here")
	}
	return path, nil
})

// URL is the server's first database, without a password.
func (r *Redis) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", r.Port) }

// Start starts a server that was stopped or killed, on the same port and
// empty, and returns when it takes connections.
func (r *Redis) Start(t testing.TB) {
	t.Helper()
	command := append([]string{
		r.binary, "--port", strconv.Itoa(r.Port), "--bind", "127.0.0.1", "--dir", r.folder,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--protected-mode", "no",
	}, r.settings...)
	var err error
	// A shell's children ignore QUIT, and Redis leaves it at that.
	if r.process, err = start(r.folder, "eady to accept connections", "KILL", command...); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server in good order: whoever is connected is cut off.
func (r *Redis) Stop(t testing.TB) { t.Helper(); r.end(t, "TERM") }

// Kill kills the server as the kernel would; no part of it runs when Kill
// returns.
func (r *Redis) Kill(t testing.TB) { t.Helper(); r.end(t, "KILL") }

func (r *Redis) end(t testing.TB, signal string) {
	t.Helper()
	if err := r.process.end(signal); err != nil {
		t.Fatal(err)
	}
	r.process = nil
}

// Flush removes every key, and every script that the server knows.
func (r *Redis) Flush(t testing.TB) {
	t.Helper()
	r.Do(t, "FLUSHALL")
	r.Do(t, "SCRIPT", "FLUSH")
}

// Do sends one command and gives the answer. "CLIENT", "PAUSE", "1000" makes
// everybody else wait for that many milliseconds.
func (r *Redis) Do(t testing.TB, command ...any) any {
	t.Helper()
	options, err := redis.ParseURL(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	answer, err := client.Do(context.Background(), command...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("redis: %v: %v", command[0], err)
	}
	return answer
}
