package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/store"
)

// moment is a time that tests move. Nodes read it with a skew of their own.
type moment struct{ now time.Time }

func newMoment() *moment { return &moment{time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func (m *moment) skewed(by time.Duration) func() time.Time {
	return func() time.Time { return m.now.Add(by) }
}

// flaky is a table whose answers get lost on the way back.
type flaky struct {
	*store.Store
	lose bool
}

var errLost = errors.New("lost")

func (f *flaky) TakeLease(ctx context.Context, lease, holder string, beat int64, node string, next int64) (bool, error) {
	taken, err := f.Store.TakeLease(ctx, lease, holder, beat, node, next)
	if f.lose {
		return false, errLost
	}
	return taken, err
}

func step(t testing.TB, h *cluster.Holder) {
	t.Helper()
	if err := h.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLeaseGoesToOneAndOnToTheNext(t *testing.T) {
	t.Parallel()
	table, m := open(t), newMoment()
	// An hour apart: what the clocks say must not matter.
	a := cluster.NewHolder(table, "a", m.skewed(0))
	b := cluster.NewHolder(table, "b", m.skewed(time.Hour))
	step(t, a)
	step(t, b)
	for range 100 {
		m.now = m.now.Add(time.Second)
		step(t, a)
		step(t, b)
		if !a.Held() || b.Held() {
			t.Fatalf("a holds it: %v, b holds it: %v", a.Held(), b.Held())
		}
	}
	died := m.now
	for !b.Held() {
		m.now = m.now.Add(time.Second)
		step(t, b)
		if a.Held() && b.Held() {
			t.Fatal("two hold it")
		}
	}
	if after := m.now.Sub(died); after > 10*time.Second {
		t.Errorf("taken over after %v", after)
	}
	b.Drop(t.Context())
	if b.Held() {
		t.Error("held, though dropped")
	}
	step(t, a)
	if !a.Held() {
		t.Error("what was dropped is not there to be taken at once")
	}
}

func TestLostAnswerOfARenewalCostsNothing(t *testing.T) {
	t.Parallel()
	table, m := &flaky{Store: open(t)}, newMoment()
	a := cluster.NewHolder(table, "a", m.skewed(0))
	step(t, a)
	m.now = m.now.Add(time.Second)
	table.lose = true
	if err := a.Step(t.Context()); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	table.lose = false
	m.now = m.now.Add(time.Second)
	step(t, a)
	m.now = m.now.Add(cluster.LeaseFor - 2*time.Second)
	if !a.Held() {
		t.Error("the renewal after the lost one counts for nothing")
	}
}

// TestNeverTwoHolders lets three nodes with skewed clocks stop and go as they
// like, and be slow in asking.
func TestNeverTwoHolders(t *testing.T) {
	t.Parallel()
	table := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		for name := range holders(t, table) {
			if err := table.DropLease(t.Context(), "work", name); err != nil {
				rt.Fatal(err)
			}
		}
		m := newMoment()
		nodes := map[string]*cluster.Holder{}
		for name, skew := range map[string]time.Duration{"a": 0, "b": time.Minute, "c": -time.Minute} {
			nodes[name] = cluster.NewHolder(table, name, m.skewed(skew))
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			pause := time.Duration(rapid.IntRange(0, 4000).Draw(rt, "ms")) * time.Millisecond
			m.now = m.now.Add(pause)
			who := rapid.SampledFrom([]string{"a", "b", "c", "nobody"}).Draw(rt, "who")
			if who != "nobody" {
				if err := nodes[who].Step(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
			held := 0
			for _, n := range nodes {
				if n.Held() {
					held++
				}
			}
			if held > 1 {
				rt.Fatalf("%d nodes hold the lease", held)
			}
		}
	})
}

func holders(t testing.TB, table *store.Store) map[string]bool {
	t.Helper()
	holder, _, err := table.LeaseHolder(t.Context(), "work")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]bool{holder: true}
}

func TestAliveAreCounted(t *testing.T) {
	t.Parallel()
	table, m := open(t), newMoment()
	names := []string{"a", "b", "c"}
	nodes := map[string]*cluster.Alive{}
	for i, name := range names {
		nodes[name] = cluster.NewAlive(table, name, m.skewed(time.Duration(i)*time.Hour))
	}
	beat := func(alive ...string) {
		t.Helper()
		m.now = m.now.Add(time.Second)
		for range 2 { // so that the first hears of the last
			for _, name := range alive {
				if err := nodes[name].Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	counts := func(want int, alive ...string) {
		t.Helper()
		for _, name := range alive {
			if got := nodes[name].Count(); got != want {
				t.Errorf("%s counts %d, want %d", name, got, want)
			}
		}
	}
	if nodes["a"].Count() != 1 {
		t.Error("a node that does not know better is not alone")
	}
	beat(names...)
	counts(3, names...)
	nodes["c"].Leave(t.Context())
	beat("a", "b")
	counts(2, "a", "b")
	for range cluster.DeadAfter/time.Second + 1 { // b falls silent
		beat("a")
	}
	counts(1, "a")
	for range cluster.GoneAfter / time.Second {
		beat("a")
	}
	beats, err := table.Beats(t.Context())
	if err != nil || len(beats) != 1 {
		t.Errorf("what b left behind is still there: %v, %v", beats, err)
	}
}
