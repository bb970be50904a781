package store_test

import (
	"bufio"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
)

// answers are the calls that a helper says were answered.
type answers struct {
	mu    sync.Mutex
	calls map[string]bool
	come  chan struct{} // one for each, as long as there is room
	ended chan struct{}
}

// charging starts a helper that charges on and on, whatever becomes of the
// database, until the test ends.
func charging(t *testing.T, at store.Location, unsafe bool) *answers {
	t.Helper()
	cmd := helper(t.Context(), t, at, "k")
	cmd.Env = append(cmd.Env, helperStubborn+"=1")
	if unsafe {
		cmd.Env = append(cmd.Env, helperUnsafe+"=1")
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	a := &answers{calls: map[string]bool{}, come: make(chan struct{}, 10_000), ended: make(chan struct{})}
	go func() {
		defer close(a.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			a.mu.Lock()
			a.calls[lines.Text()] = true // never half a line: a pipe takes so little whole
			a.mu.Unlock()
			select {
			case a.come <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-a.ended
		_ = cmd.Wait() // it was killed
	})
	return a
}

// wait waits for n answers from now on.
func (a *answers) wait(t *testing.T, n int) {
	t.Helper()
	for len(a.come) > 0 {
		<-a.come
	}
	for range n {
		select {
		case <-a.come:
		case <-a.ended:
			t.Fatal("the helper ended")
		}
	}
}

func (a *answers) all() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.calls)
}

// missing counts answered calls that the database has not, or more than once.
func missing(t *testing.T, at store.Location, answered map[string]bool) (lost, double int) {
	t.Helper()
	db := storetest.Behind(t, at)
	charged := map[string]int{}
	rows(t, db, func(row []string) { charged[row[0]]++ }, `SELECT call FROM entry WHERE kind = 'charge'`)
	for call := range answered {
		if charged[call] == 0 {
			lost++
		}
	}
	for _, n := range charged {
		if n > 1 {
			double++
		}
	}
	return lost, double
}

// forgetful is a server that, left to itself, answers before it has written
// anything down, and waits long until it does.
func forgetful(t *testing.T) (*throwaway.Postgres, store.Location) {
	t.Helper()
	server := throwaway.StartPostgres(t, "synchronous_commit=off", "wal_writer_delay=10s")
	at := store.Location{Dir: t.TempDir(), Database: server.Database(t)}
	s := storetest.Must(t, place(t, at), store.Options{})
	storetest.Fund(t, s, 1<<40, 1<<40)
	storetest.Close(t, s)
	return server, at
}

// TestServerKilled kills PostgreSQL under load. Its own default would lose what
// it had answered; what each connection asks for must keep it.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	server, at := forgetful(t)
	answered := charging(t, at, false)
	for kill := range kills() {
		answered.wait(t, 20+rand.IntN(100))
		server.Kill(t)
		server.Start(t)
		if lost, double := missing(t, at, answered.all()); lost > 0 || double > 0 {
			t.Errorf("kill %d: %d lost, %d double of %d answered", kill, lost, double, len(answered.all()))
		}
	}
	answered.wait(t, 1)
	whole(t, at)
	calls := int64(len(answered.all()))
	if problems, records, _ := verified(t, at); len(problems) > 0 || records < calls {
		t.Errorf("%d records of %d calls: %v", records, calls, problems)
	}
	t.Logf("%d answered, %d kills", calls, kills())
}

// TestServerKilledWithoutTheSetting is the red control: where connections do
// not ask for it, answered calls are lost.
func TestServerKilledWithoutTheSetting(t *testing.T) {
	t.Parallel()
	server, at := forgetful(t)
	answered := charging(t, at, true)
	const kills = 20
	for kill := range kills {
		answered.wait(t, 20+rand.IntN(100))
		server.Kill(t)
		server.Start(t)
		if lost, _ := missing(t, at, answered.all()); lost > 0 {
			t.Logf("%d of %d lost by kill %d", lost, len(answered.all()), kill)
			return
		}
	}
	t.Errorf("nothing was lost by %d kills: the test above proves nothing", kills)
}
