// Package testkit owns the world that tests run against: a whole Dargah on a
// real store and a real socket, with the people and accounts of the example
// fixtures.
package testkit

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// Options change the world before it is started. The zero value is the example
// world with room for many calls a second.
type Options struct {
	World  func(*fixture.World)
	Config config.Config
	Now    func() time.Time
	Dir    string // a data folder that is kept; empty: one of the test's own

	// Database is a PostgreSQL that several servers may share, if they share
	// Dir, with the key; empty for SQLite in Dir.
	Database string
}

// Server is a running Dargah.
type Server struct {
	URL   string // http://127.0.0.1:port
	App   *app.App
	Store *store.Store
	Log   *Log
}

// Start runs a Dargah until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Database == "" {
		storetest.Migrated(t, o.Dir)
	}
	ctx := context.Background()
	gate := password.New(password.Cost{Memory: 64, Time: 1}) // the same code as in earnest, with less work
	data, err := store.Open(ctx, store.Location{Dir: o.Dir, Database: o.Database}, store.Options{Now: o.Now})
	must(t, err)
	t.Cleanup(func() { _ = data.Close() }) // a test may have closed or broken it
	state, err := app.State(ctx, data)
	must(t, err)
	if state == app.Empty {
		must(t, app.Fill(ctx, data, world(t, o.World), app.Filling{Passwords: gate, Now: o.Now}))
	}
	log := &Log{}
	listener := httptest.NewUnstartedServer(nil)
	a, err := app.New(ctx, data, app.Options{
		Config: o.Config, Listen: "http://" + listener.Listener.Addr().String(),
		Log: event.New(log, slog.LevelDebug), Passwords: gate, Now: o.Now,
	})
	must(t, err)
	listener.Config.Handler = a.Handler
	listener.Start()
	t.Cleanup(func() { listener.Close(); a.Close() })
	return &Server{URL: listener.URL, App: a, Store: data, Log: log}
}

// Address is where the server listens, with its scheme.
func (s *Server) Address() string { return s.URL }

// Dialect is one of those that the server speaks.
func (s *Server) Dialect(t testing.TB, name string) *dialect.Dialect {
	t.Helper()
	for _, d := range s.App.Dialects {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("the server does not speak %s", name)
	return nil
}

// Observe is told of each check that is asked from now on.
func (s *Server) Observe(f func(admission.Check)) { s.App.Desk.Observe = f }

// world reads the example fixtures. Their rate of 5 per second would make
// tests wait, so it is raised; a change may set it back.
func world(t testing.TB, change func(*fixture.World)) *fixture.World {
	t.Helper()
	f, err := os.Open(Example())
	must(t, err)
	defer f.Close()
	w, err := fixture.Read(f, "fixtures.yaml")
	must(t, err)
	for i := range w.Accounts {
		w.Accounts[i].Rate = 1_000_000
	}
	if change != nil {
		change(w)
	}
	return w
}

// Example is the path of the example fixtures.
func Example() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "examples", "fixtures.yaml")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Log keeps what was logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is everything logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Balance is what an account's wallet holds.
func (s *Server) Balance(t testing.TB, account string) rial.Amount {
	t.Helper()
	balance, err := s.Store.Balance(context.Background(), account)
	must(t, err)
	return balance
}
