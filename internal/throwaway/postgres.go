package throwaway

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// The one user of the server. The password is no secret: the server listens on
// the loopback alone, and is gone with the tests.
const (
	postgresUser     = "dargah"
	postgresPassword = "throwaway-password"
)

// Postgres is a PostgreSQL server.
type Postgres struct {
	Port     int // on 127.0.0.1
	binary   string
	folder   string
	settings []string
	process  *process
}

// databases numbers the databases of this process.
var databases atomic.Int64

// shared is the server of all tests of this process that ask for no other. It
// ends with the process.
var shared = sync.OnceValues(func() (*Postgres, error) { return newPostgres() })

// Database makes an empty database on a server that the tests of this process
// share, and gives its URL.
func Database(t testing.TB) string {
	t.Helper()
	need(t)
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return p.Database(t)
}

// Template is a database that is filled once in a process and copied as often
// as there are tests that want one like it.
type Template struct {
	Fill func(url string) error // leaves nobody connected

	once sync.Once
	name string
	err  error
}

// Database makes a copy on the server that the tests of this process share, and
// gives its URL.
func (m *Template) Database(t testing.TB) string {
	t.Helper()
	need(t)
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	m.once.Do(func() { m.err = m.fill(p) })
	if m.err != nil {
		t.Fatal(m.err)
	}
	return p.Database(t, "TEMPLATE "+m.name)
}

func (m *Template) fill(p *Postgres) error {
	m.name = fmt.Sprintf("template_%d", databases.Add(1))
	url, err := p.Create(m.name)
	if err == nil {
		err = m.Fill(url)
	}
	return err
}

// StartPostgres starts a server of the test's own, with settings like
// "synchronous_commit=off". It is gone at the test's end.
func StartPostgres(t testing.TB, settings ...string) *Postgres {
	t.Helper()
	need(t)
	p, err := newPostgres(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.process == nil {
			_ = os.RemoveAll(p.folder)
		} else if err := p.process.discard(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// RunPostgres is StartPostgres for a program that is no test; the server ends
// with Discard, or with the process.
func RunPostgres(settings ...string) (*Postgres, error) { return newPostgres(settings...) }

// Discard ends the server and removes what it kept.
func (p *Postgres) Discard() error { return p.process.discard() }

// Create makes an empty database and gives its URL.
func (p *Postgres) Create(name string) (string, error) {
	if err := p.execute("CREATE DATABASE " + name); err != nil {
		return "", fmt.Errorf("make the database %s: %w", name, err)
	}
	return p.URL(name), nil
}

// PID is the number of the server's first process, whose children the others
// are.
func (p *Postgres) PID() (int, error) {
	text, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(strings.TrimSpace(first))
}

// need skips the test where there is no PostgreSQL.
func need(t testing.TB) {
	t.Helper()
	if _, err := findPostgres(); err != nil {
		Lack(t, err)
	}
}

var findPostgres = sync.OnceValues(func() (string, error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian keeps them out of PATH
	slices.Reverse(folders)
	if said, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(said)))
	}
	return find("postgres", folders...)
})

// newPostgres makes a cluster and starts its server.
func newPostgres(settings ...string) (*Postgres, error) {
	binary, err := findPostgres()
	if err != nil {
		return nil, err
	}
	p := &Postgres{binary: binary, settings: settings}
	if p.Port, err = freePort(); err != nil {
		return nil, err
	}
	if p.folder, err = makeFolder("dargah-postgres-"); err != nil {
		return nil, err
	}
	if err = p.initialize(); err == nil {
		err = p.start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.folder))
	}
	return p, nil
}

func (p *Postgres) initialize() error {
	secret := filepath.Join(p.folder, "password")
	if err := os.WriteFile(secret, []byte(postgresPassword), 0o644); err != nil { //nolint:gosec // it is read by another user, and stands above
		return err
	}
	return run(p.folder, filepath.Join(filepath.Dir(p.binary), "initdb"),
		"--pgdata="+p.data(), "--username="+postgresUser, "--pwfile="+secret, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
}

func (p *Postgres) data() string { return filepath.Join(p.folder, "data") }

func (p *Postgres) start() (err error) {
	command := []string{p.binary, "-D", p.data(), "-p", strconv.Itoa(p.Port)}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "shared_buffers=64MB", "lc_messages=C",
	}, p.settings...) {
		command = append(command, "-c", setting)
	}
	p.process, err = start(p.folder, "database system is ready to accept", "QUIT", command...)
	return err
}

// URL names a database of the server.
func (p *Postgres) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(postgresUser, postgresPassword),
		Host: "127.0.0.1:" + strconv.Itoa(p.Port), Path: "/" + database,
	}).String()
}

// Database makes an empty database and gives its URL. Options are those of
// CREATE DATABASE. It goes with the server: to drop one takes longer than to
// make one.
func (p *Postgres) Database(t testing.TB, options ...string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := p.execute("CREATE DATABASE " + name + " " + strings.Join(options, " ")); err != nil {
		t.Fatal(err)
	}
	return p.URL(name)
}

// execute runs a statement that no other database than the first can.
func (p *Postgres) execute(statement string) (err error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Stop ends the server in good order: whoever is connected is cut off.
func (p *Postgres) Stop(t testing.TB) { t.Helper(); p.end(t, "INT") }

// Kill kills the server as the kernel would; no part of it runs when Kill
// returns.
func (p *Postgres) Kill(t testing.TB) { t.Helper(); p.end(t, "KILL") }

func (p *Postgres) end(t testing.TB, signal string) {
	t.Helper()
	if err := p.process.end(signal); err != nil {
		t.Fatal(err)
	}
	p.process = nil
}

// Start starts a server that was stopped or killed, on the same port, and
// returns when it takes connections.
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

// Demote makes a stopped server a standby, which takes no writes.
func (p *Postgres) Demote(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.data(), "standby.signal"), nil, 0o644); err != nil { //nolint:gosec // another user reads it
		t.Fatal(err)
	}
}
