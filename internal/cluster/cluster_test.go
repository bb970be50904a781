package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/throwaway"
)

// things are what is reloaded: their number, and how often that was done.
type things struct {
	number, read atomic.Int64
	broken       atomic.Bool
}

func (th *things) versions(context.Context) (map[string]int64, error) {
	if th.broken.Load() {
		return nil, errors.New("the database is away")
	}
	return map[string]int64{"things": th.number.Load()}, nil
}

type member struct {
	*cluster.Node
	log  *text
	sees *things
}

// join makes a node that watches th.
func join(t testing.TB, s *store.Store, redis string, th *things, chores ...cluster.Chore) *member {
	t.Helper()
	m := &member{log: &text{}, sees: &things{}}
	node, err := cluster.Join(t.Context(), cluster.Options{
		Redis: redis, Keys: s.Keyring(), Table: s, Several: true, Versions: th.versions, Chores: chores,
		Reload: map[string]func(context.Context) error{"things": func(context.Context) error {
			m.sees.read.Store(th.number.Load())
			return nil
		}},
		Log: event.New(m.log, slog.LevelDebug),
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Node = node
	node.Run(t.Context())
	return m
}

func TestChangesAreSeenWithoutRedis(t *testing.T) {
	t.Parallel()
	th := &things{}
	m := join(t, open(t), "", th)
	defer m.Close()
	for n := range int64(3) {
		th.number.Store(n)
		eventually(t, "the change is seen", func() bool { return m.sees.read.Load() == n })
	}
	th.number.Store(1) // another database was put in its place
	eventually(t, "the older state is seen", func() bool { return m.sees.read.Load() == 1 })
	th.broken.Store(true)
	eventually(t, "the trouble is told", func() bool { return strings.Contains(m.log.String(), "changes cannot be seen") })
	th.broken.Store(false)
	th.number.Store(9)
	eventually(t, "the change is seen afterwards", func() bool { return m.sees.read.Load() == 9 })
}

func TestSignalsReachEveryNode(t *testing.T) {
	t.Parallel()
	server, s, th := throwaway.StartRedis(t), open(t), &things{}
	a, b := join(t, s, server.URL(), th), join(t, s, server.URL(), th)
	defer a.Close()
	defer b.Close()
	seen := func(n int64) func() bool {
		return func() bool { return a.sees.read.Load() == n && b.sees.read.Load() == n }
	}
	say := map[int64]func(){
		1: a.Signal, 2: b.Signal,
		3: func() { cluster.Signal(t.Context(), server.URL(), s.Keyring()) },
		4: func() { server.Kill(t); server.Start(t); a.Signal() },
		5: func() { cluster.Signal(t.Context(), "redis://127.0.0.1:1", s.Keyring()) }, // to nobody; they look by themselves
		6: func() { cluster.Signal(t.Context(), "", s.Keyring()) },
	}
	for n := int64(1); n <= 6; n++ {
		th.number.Store(n)
		say[n]()
		eventually(t, "both see the change", seen(n))
	}
}

func TestChoresAreDoneByOne(t *testing.T) {
	t.Parallel()
	s, th := open(t), &things{}
	var byA, byB atomic.Int64
	count := func(n *atomic.Int64) cluster.Chore {
		return cluster.Chore{Name: "count", Every: time.Second, Do: func(context.Context) error {
			n.Add(1)
			return errors.New("nothing to count")
		}}
	}
	a := join(t, s, "", th, count(&byA))
	eventually(t, "a does the chores", func() bool { return a.Holds() && byA.Load() > 0 })
	b := join(t, s, "", th, count(&byB))
	defer b.Close()
	eventually(t, "the chore is done again", func() bool { return byA.Load() > 2 })
	if b.Holds() || byB.Load() > 0 {
		t.Error("both do the chores")
	}
	if !strings.Contains(a.log.String(), "a chore failed") {
		t.Error("a chore that fails is not told of")
	}
	a.Close()
	done := byA.Load()
	eventually(t, "b does the chores", func() bool { return b.Holds() && byB.Load() > 0 })
	if byA.Load() != done {
		t.Error("a goes on after its end")
	}
}

func TestDegraded(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	m := join(t, open(t), server.URL(), &things{})
	defer m.Close()
	if what := m.Degraded(); what != "" {
		t.Errorf("degraded though nothing is wrong: %s", what)
	}
	server.Stop(t)
	m.Limiter().Take("a", 5)
	if m.Degraded() == "" {
		t.Error("well though Redis is away")
	}
}

// TestWrongPasswordsAreCountedOverAllNodes tries each password on another node
// than the one before.
func TestWrongPasswordsAreCountedOverAllNodes(t *testing.T) {
	t.Parallel()
	server, s := throwaway.StartRedis(t), open(t)
	var nodes []*admission.Lockout
	for range 2 {
		m := join(t, s, server.URL(), &things{})
		defer m.Close()
		m.Wait(busy)
		l := admission.NewLockout(4)
		l.Share(m.Failures())
		nodes = append(nodes, l)
	}
	now := time.Now()
	try := func(i int, right bool) bool { return nodes[i%2].Verdict("u", right, now) }
	for i := range 3 {
		if !nodes[i%2].Open("u", now) || try(i, false) {
			t.Fatalf("try %d", i)
		}
	}
	if !try(0, true) {
		t.Fatal("a right password is refused before the last free try")
	}
	for i := range 4 {
		if !nodes[i%2].Open("u", now) || try(i, false) {
			t.Fatalf("try %d after a right one", i)
		}
	}
	for i, l := range nodes {
		if l.Open("u", now) || l.Verdict("u", true, now) {
			t.Errorf("node %d: open after as many wrong passwords as are free", i)
		}
	}
	if !nodes[0].Open("other", now) {
		t.Error("another name is closed")
	}
	for _, key := range server.Do(t, "KEYS", "*").([]any) {
		if left, _ := server.Do(t, "PTTL", key).(int64); left <= 0 {
			t.Errorf("%v stays for ever", key)
		}
	}
	// Without Redis each counts for itself, what it counted before included.
	server.Stop(t)
	for range 4 {
		nodes[1].Verdict("v", false, now)
	}
	if nodes[1].Open("v", now) || !nodes[0].Open("v", now) {
		t.Error("without Redis a node does not count for itself")
	}
}
