package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// shelf is a store with n rows, keyed by their numbers, and nobody's turn.
func shelf(t *testing.T, n int) *lookups {
	t.Helper()
	s, err := Open(t.Context(), Folder(t.TempDir()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range n {
		key := rowKey(i)
		if _, err := s.writer.Exec(`INSERT INTO person (id, rest, sealed) VALUES ($1, $2, $3)`, key.id, key.rest[:], []byte(fmt.Sprint("row ", i))); err != nil {
			t.Fatal(err)
		}
	}
	made := statements{db: s.reader, engine: s.engine}
	l := made.lookups(0)
	if made.err != nil {
		t.Fatal(made.err)
	}
	return l
}

func rowKey(i int) personKey { return keyOf(fmt.Appendf(nil, "%08d the rest", i)) }

// await returns when n look-ups wait.
func (l *lookups) await(n int) {
	for waiting := -1; waiting != n; runtime.Gosched() {
		l.mu.Lock()
		waiting = len(l.waiting)
		l.mu.Unlock()
	}
}

// give gives a turn to whoever waits.
func (l *lookups) give() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass()
}

// All who wait are served after one turn was given, several of them at a time,
// and the turn comes back.
func TestOneTurnServesAllWhoWait(t *testing.T) {
	t.Parallel()
	for _, callers := range []int{1, 2, 3, 31, 32, 33, 150} {
		l := shelf(t, 40)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				k := i % 50 // the last ten are not there; some are asked for more than once
				got, err := l.find(t.Context(), rowKey(k))
				if want := fmt.Sprint("row ", k); err != nil || k < 40 && string(got) != want || k >= 40 && got != nil {
					t.Errorf("%d callers: row %d is %q: %v", callers, k, got, err)
				}
			})
		}
		l.await(callers)
		l.give()
		all.Wait()
		if len(l.waiting) != 0 || l.turns != 1 {
			t.Errorf("%d callers: %d wait still, %d turns", callers, len(l.waiting), l.turns)
		}
	}
}

func TestWhoGivesUpLeavesItsTurnToOthers(t *testing.T) {
	t.Parallel()
	l := shelf(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := l.find(ctx, rowKey(0)); !errors.Is(err, context.Canceled) {
				t.Errorf("given up: %v", err)
			}
		})
	}
	l.await(20)
	all.Go(func() {
		if got, err := l.find(t.Context(), rowKey(1)); err != nil || string(got) != "row 1" {
			t.Errorf("%q: %v", got, err)
		}
	})
	l.await(21)
	cancel()
	l.await(1)
	l.give()
	all.Wait()

	// One that has a turn already, which it has not heard of.
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	w := lookupPool.New().(*lookup)
	l.turns, w.reads = 0, true
	l.waiting = append(l.waiting, w)
	if _, err := l.wait(ctx, w); !errors.Is(err, context.Canceled) || l.turns != 1 {
		t.Errorf("%v, %d turns", err, l.turns)
	}
}

// Who waited for a turn has only the rest of its time to read in; a caller that
// goes cuts nobody's query short.
func TestAReaderKeepsToItsTime(t *testing.T) {
	t.Parallel()
	l := shelf(t, 1)
	l.within, l.turns = time.Hour, 1
	read := func(ctx context.Context) (found string, err error) {
		w := lookupPool.New().(*lookup)
		w.key = rowKey(0)
		if !l.enter(w) || !l.read(ctx, w) {
			t.Fatal("there is a turn, and nobody else waits")
		}
		return string(w.found), w.err
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if found, err := read(late); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its time was over, and it read %q: %v", found, err)
	}
	gone, cancel := context.WithTimeout(t.Context(), time.Hour)
	cancel()
	if found, err := read(gone); err != nil || found != "row 0" {
		t.Errorf("its caller has gone, and it read %q: %v", found, err)
	}
}

// A query that fails is the failure of all whom it was for, and of nobody else.
func TestLookupThatFails(t *testing.T) {
	t.Parallel()
	l := shelf(t, 1)
	good := l.sizes
	for i := range l.sizes {
		l.sizes[i] = &query{text: `SELECT id, rest, sealed FROM nowhere WHERE id IN (?)`}
	}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if got, err := l.find(t.Context(), rowKey(0)); err == nil || got != nil {
				t.Errorf("%q from a table that is not there", got)
			}
		})
	}
	l.await(5)
	l.give()
	all.Wait()
	l.sizes = good
	if got, err := l.find(t.Context(), rowKey(0)); err != nil || string(got) != "row 0" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}
