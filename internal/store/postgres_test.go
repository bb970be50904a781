package store_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
)

// password is the throw-away server's, which no error may tell.
func password(database string) string {
	_, after, _ := strings.Cut(database, "://dargah:")
	secret, _, _ := strings.Cut(after, "@")
	return secret
}

// refusedWith opens a database that must not be opened.
func refusedWith(t *testing.T, at store.Location, want error, words ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), at, store.Options{})
	if err == nil {
		storetest.Close(t, s)
		t.Errorf("opened; want %v", words)
		return
	}
	if want != nil && !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not say %q", err, word)
		}
	}
	if secret := password(at.Database); secret != "" && strings.Contains(err.Error(), secret) {
		t.Error("the error tells the password")
	}
}

func TestUnsafeServersAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setting string
		words   []string
	}{
		"fsync":            {"fsync=off", []string{"fsync is off", "fsync = on"}},
		"full_page_writes": {"full_page_writes=off", []string{"full_page_writes is off"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := throwaway.StartPostgres(t, c.setting)
			refusedWith(t, store.Location{Dir: t.TempDir(), Database: server.Database(t)}, store.ErrUnsafe, c.words...)
		})
	}
	t.Run("standby", func(t *testing.T) {
		t.Parallel()
		server := throwaway.StartPostgres(t)
		at := store.Location{Dir: t.TempDir(), Database: server.Database(t)}
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 7)
		storetest.Close(t, s)
		server.Stop(t)
		server.Demote(t)
		server.Start(t)
		refusedWith(t, at, store.ErrUnsafe, "standby", "primary")
		if problems, _, _ := verified(t, at); len(problems) > 0 {
			t.Errorf("to be read it is good enough: %v", problems)
		}
	})
}

func TestSafe(t *testing.T) {
	t.Parallel()
	good := []string{"150018", "UTF8", "on", "on", "on", "false"}
	for name, c := range map[string]struct {
		at    int
		value string
		words string // nothing where it is safe
		read  string // the same, to be read only
	}{
		"good":               {0, "150018", "", ""},
		"oldest":             {0, "130000", "", ""},
		"too old":            {0, "120022", "PostgreSQL 12 is too old: 13", "too old"},
		"no number":          {0, "x", "too old", "too old"},
		"encoding":           {1, "SQL_ASCII", "encoding is SQL_ASCII", "encoding"},
		"fsync":              {2, "off", "fsync is off", ""},
		"full_page_writes":   {3, "off", "full_page_writes is off", ""},
		"synchronous_commit": {4, "off", "pooler", ""},
		"local":              {4, "local", "pooler", ""},
		"standby":            {5, "true", "standby", ""},
	} {
		said := append([]string(nil), good...)
		said[c.at] = c.value
		for onlyRead, words := range map[bool]string{false: c.words, true: c.read} {
			err := store.Safe(said[0], said[1], said[2], said[3], said[4], said[5], onlyRead)
			if (err == nil) != (words == "") || err != nil && (!errors.Is(err, store.ErrUnsafe) || !strings.Contains(err.Error(), words)) {
				t.Errorf("%s, only read %v: %v", name, onlyRead, err)
			}
		}
	}
}

func TestConnectionsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	right := throwaway.Database(t)
	change := func(do func(*url.URL)) store.Location {
		u, err := url.Parse(right)
		if err != nil {
			t.Fatal(err)
		}
		do(u)
		return store.Location{Dir: t.TempDir(), Database: u.String()}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	refusedWith(t, change(func(u *url.URL) { u.Host = closed.Addr().String() }), nil, "nobody answers at "+closed.Addr().String())
	refusedWith(t, change(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "a-wrong-one") }), nil, "refuses the user dargah")
	refusedWith(t, change(func(u *url.URL) { u.Path = "/absent" }), nil, `has no database "absent"`)
	unreadable := store.Location{Dir: t.TempDir(), Database: "postgres://dargah:" + password(right) + "@127.0.0.1:notaport/x"}
	refusedWith(t, unreadable, nil, "cannot be read")
	refusedWith(t, change(func(u *url.URL) { u.RawQuery = "sslmode=verify-full&password=" + password(right) }), nil, "connect to PostgreSQL")
	latin := store.Location{Dir: t.TempDir(), Database: throwaway.StartPostgres(t).Database(t, "ENCODING 'SQL_ASCII'", "TEMPLATE template0")}
	refusedWith(t, latin, store.ErrUnsafe, "encoding is SQL_ASCII", "ENCODING 'UTF8'")
	for _, open := range []func(store.Location) error{
		func(at store.Location) error { _, err := store.Attach(t.Context(), at, store.Options{}); return err },
		func(at store.Location) error { _, err := store.OpenReader(t.Context(), at); return err },
	} {
		if err := open(store.Location{Dir: t.TempDir(), Database: right}); !errors.Is(err, store.ErrNoData) {
			t.Errorf("an empty database: %v", err)
		}
	}
}

// TestFirstStartTogether: nodes that meet an empty database at the same moment
// make one schema and one keyring.
func TestFirstStartTogether(t *testing.T) {
	t.Parallel()
	const nodes = 5
	for name, dir := range map[string]func(t *testing.T, shared string) string{
		"one folder":          func(_ *testing.T, shared string) string { return shared },
		"each its own folder": func(t *testing.T, _ string) string { return t.TempDir() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, shared := throwaway.Database(t), t.TempDir()
			dirs, hashes := make([]string, nodes), make([]string, nodes)
			for i := range dirs {
				dirs[i] = dir(t, shared)
			}
			errs := storetest.Together(nodes, func(i int) error {
				s, err := store.Open(t.Context(), store.Location{Dir: dirs[i], Database: database}, store.Options{})
				if err != nil {
					return err
				}
				secret, err := s.Secret(t.Context(), "x", func() []byte { return []byte(strconv.Itoa(i)) })
				hashes[i] = string(secret) + string(s.Keyring().Hash("a", "b"))
				return errors.Join(err, s.Close())
			})
			opened := map[string]int{}
			for i, err := range errs {
				_, missing := os.Stat(filepath.Join(dirs[i], "master.key"))
				switch {
				case err == nil:
					opened[hashes[i]]++
				case dirs[i] == shared || !strings.Contains(err.Error(), "copy it from another node"):
					t.Errorf("node %d: %v", i, err)
				case missing == nil:
					t.Errorf("node %d made a key that opens nothing", i)
				}
			}
			want := nodes
			if dirs[0] != shared {
				want = 1
			}
			if len(opened) != 1 || opened[first(opened)] != want {
				t.Errorf("%d keyrings, want one in %d nodes", len(opened), want)
			}
		})
	}
}

func first(m map[string]int) string {
	for k := range m {
		return k
	}
	return ""
}

// TestOwnSettings: whatever the database and the address say, a connection
// waits for the disk, gives up in time, and sends values apart from texts.
func TestOwnSettings(t *testing.T) {
	t.Parallel()
	at := onPostgres(t)
	db := storetest.Behind(t, at)
	var name string
	if err := db.QueryRowContext(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	alter(t, at, `ALTER DATABASE `+name+` SET synchronous_commit = off; ALTER DATABASE `+name+` SET default_transaction_isolation = serializable; `+
		`ALTER DATABASE `+name+` SET statement_timeout = 0`)
	at.Database += "?default_query_exec_mode=simple_protocol&synchronous_commit=off&statement_timeout=0"
	s := storetest.Must(t, place(t, at), store.Options{})
	storetest.Fund(t, s, 100)
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "default_transaction_isolation": "read committed", "statement_timeout": "1500ms",
		"application_name": "dargah", "TimeZone": "UTC", "client_encoding": "UTF8",
	} {
		var got string
		if err := s.Writer().QueryRowContext(t.Context(), `SELECT current_setting($1)`, setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s: %v", setting, got, err)
		}
	}
	const canary = "canary-0123456789"
	end := storetest.Charge(canary, "a0", 1)
	end.Record.Document = canary
	if err := s.Commit(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	if err := s.PutSetting(t.Context(), "x", canary); err != nil {
		t.Fatal(err)
	}
	seen := func() (n int) {
		t.Helper()
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE strpos(query, $1) > 0 AND pid <> pg_backend_pid()`, canary).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := seen(); n > 0 {
		t.Errorf("a value is in the text of %d connections", n)
	}
	control := storetest.Behind(t, at)
	if _, err := control.ExecContext(t.Context(), `SELECT $1::text`, canary); err != nil {
		t.Fatal(err)
	}
	if seen() != 1 {
		t.Error("the look for values does not see one that is in a text")
	}
}

// cutOff ends every connection that a store has, and waits until they are gone:
// a call that met one on its last way would rightly fail.
func cutOff(t *testing.T, db *sql.DB) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'dargah'`); err != nil {
		t.Fatal(err)
	}
}

// TestLostConnections: calls that come after a cut are served as if nothing had
// been, and those in the middle of one are charged once or not at all.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	at := onPostgres(t)
	s := storetest.Must(t, place(t, at), store.Options{GroupMax: 8})
	storetest.Fund(t, s, 1<<40)
	db := storetest.Behind(t, at)
	for i := range 5 {
		cutOff(t, db)
		if err := s.Commit(t.Context(), storetest.Charge("idle-"+strconv.Itoa(i), "a0", 1)); err != nil {
			t.Errorf("after cut %d: %v", i, err)
		}
	}
	stop, came := make(chan struct{}), make(chan struct{}, 64)
	var mu sync.Mutex
	answered := map[string]bool{}
	var wg sync.WaitGroup
	for caller := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				call := strconv.Itoa(caller) + "-" + strconv.Itoa(i)
				if s.Commit(context.Background(), storetest.Charge(call, "a0", 1)) == nil {
					mu.Lock()
					answered[call] = true
					mu.Unlock()
					select {
					case came <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	for range 20 {
		for range 20 {
			<-came
		}
		cutOff(t, db)
	}
	close(stop)
	wg.Wait()
	entries, _, err := s.History(t.Context(), "a0")
	if err != nil {
		t.Fatal(err)
	}
	charged := map[string]int{}
	for _, e := range entries {
		charged[e.Call]++
	}
	for call := range answered {
		if charged[call] != 1 {
			t.Errorf("call %s was answered, and is there %d times", call, charged[call])
		}
	}
	if problems, _, _ := verified(t, at); len(problems) > 0 {
		t.Error(problems)
	}
	storetest.Balanced(t, s, "a0")
	t.Logf("%d answered, %d entries", len(answered), len(entries))
}

// TestLimitedConnection: a peer that says nothing is given up, unless the
// driver has set a deadline of its own.
func TestLimitedConnection(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	conn := store.Limited(near, 20*time.Millisecond)
	timedOut := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := conn.Read(make([]byte, 1))
	timedOut("read", err)
	_, err = conn.Write(make([]byte, 1))
	timedOut("write", err)
	_ = conn.SetDeadline(time.Now().Add(time.Hour))
	time.AfterFunc(60*time.Millisecond, func() { _, _ = far.Write([]byte{7}) })
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Errorf("the driver's hour is over early: %v", err)
	}
	_ = conn.SetDeadline(time.Now().Add(-time.Hour))
	_, err = conn.Read(make([]byte, 1))
	timedOut("after the driver gave up", err)
	_ = conn.SetDeadline(time.Time{})
	_, err = conn.Read(make([]byte, 1))
	timedOut("read again", err)
}
