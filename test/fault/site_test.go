package fault_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/store"
)

// site is one installation, whichever nodes run on it.
type site struct {
	binary   string // what its nodes run
	dir      string // its data folder
	database string // postgres://…; empty is SQLite in dir
	direct   string // the database without the proxy that stands before it
	redis    string // redis://…; empty is none
	// operators are the ways out to the phones; none: messages wait.
	operators []map[string]any
}

// newSite makes an installation and fills it with a world of these customers.
func newSite(t testing.TB, customers ...customer) *site {
	t.Helper()
	s := &site{binary: binary(t), dir: t.TempDir()}
	s.fill(t, customers)
	return s
}

func (s *site) location() store.Location {
	return store.Location{Dir: s.dir, Database: s.database}
}

func (s *site) fill(t testing.TB, customers []customer) {
	t.Helper()
	data, err := store.Open(t.Context(), s.location(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	filling := app.Filling{Passwords: password.New(password.Cost{Memory: 64, Time: 1}), Seed: 1}
	if err := app.Fill(t.Context(), data, readWorld(t, customers), filling); err != nil {
		t.Fatal(err)
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
}

// lacking is the same kind of installation, run by a build without a guarantee.
func (s *site) lacking(t testing.TB, name string) *site {
	t.Helper()
	if lacks[name] == nil {
		t.Fatalf("there is no build that is %s", name)
	}
	s.binary = build(t, name)
	return s
}

// config writes the file that a node at an address is started by. SQLite needs
// one too: the sandbox is for people who do not exist.
func (s *site) config(t testing.TB, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, "node-"+port+".yaml")
	text, err := json.Marshal(map[string]any{ // which is YAML too
		"listen": []string{address}, "data": s.dir, "database": s.database, "redis": s.redis,
		"log": filepath.Join(s.dir, "node-"+port+".log"), "drain": "5s",
		"limits": map[string]any{"connectionsPerAddress": 0}, "operators": append([]map[string]any{}, s.operators...),
		"webhooks": map[string]any{"allow": []string{"127.0.0.0/8"}, "insecureHttp": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(text))
	return file
}

// environment lets nothing of ours reach a node.
func environment(home string) []string {
	return []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "GORACE=halt_on_error=1 exitcode=66 atexit_sleep_ms=0"}
}
