package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// alone is a charge that its caller's goroutine may commit.
func alone(t *testing.T, s *store.Store, call string, late func(error)) error {
	t.Helper()
	c := storetest.Charge(call, "a0", 10)
	c.Late = late
	return s.Commit(t.Context(), c)
}

// TestLoneCallerIsAnsweredLate: a caller that is in the commit itself is answered
// by somebody else while the commit hangs, and does not pay. Those behind it are
// let go, too, and nobody touches the call until it is answered.
func TestLoneCallerIsAnsweredLate(t *testing.T) {
	t.Parallel()
	folder := storetest.Folder(t)
	s := storetest.Must(t, place(t, folder), store.Options{})
	storetest.Fund(t, s, 100)
	late, answer := make(chan error), make(chan struct{})
	ends := make(chan string, 2)
	answered := false // without a lock, since Commit waits
	release := hold(t, s, func() {
		err := alone(t, s, "lone", func(err error) {
			late <- err
			<-answer
			answered = true
			ends <- "answered"
		})
		if refusal := new(fault.Error); err == nil || errors.As(err, &refusal) || !answered {
			t.Errorf("the commit ends with %v, answered: %v", err, answered)
		}
		ends <- "committed"
	})
	behind := make(chan error, 1)
	go func() {
		behind <- alone(t, s, "behind", func(error) { t.Error("answered by two: its own goroutine is free") })
	}()
	queued(s, 1)
	if err := <-late; err == nil {
		t.Error("answered late without an error")
	}
	if err := <-behind; err == nil {
		t.Error("one behind it is told that it was done")
	}
	release()
	storetest.Close(t, s) // what is to be given back is, before it ends
	close(answer)
	if first, then := <-ends, <-ends; first != "answered" || then != "committed" {
		t.Errorf("the call was %s before it was %s", first, then)
	}
	s = storetest.Must(t, place(t, folder), store.Options{})
	if got := storetest.Balance(t, s, "a0"); got != 100 {
		t.Errorf("the balance is %d: somebody paid for nothing", got)
	}
	storetest.Balanced(t, s, "a0")
	storetest.Even(t, s)
}

// TestCallersBehindALoneOne: those who come while a caller commits for itself are
// committed after it, one that leaves is not, and nothing is taken after the end.
func TestCallersBehindALoneOne(t *testing.T) {
	t.Parallel()
	folder := storetest.Folder(t)
	s := storetest.Must(t, place(t, folder), store.Options{GroupMax: 8})
	storetest.Fund(t, s, 1000)
	never := func(error) { t.Error("answered late") }
	ctx, leave := context.WithCancel(t.Context())
	errs := make([]error, 21)
	var all sync.WaitGroup
	all.Add(1)
	release := hold(t, s, func() {
		defer all.Done()
		errs[0] = alone(t, s, "first", never)
	})
	for i := 1; i <= 20; i++ {
		all.Go(func() { errs[i] = alone(t, s, strconv.Itoa(i), never) })
	}
	queued(s, 20)
	left := make(chan error)
	go func() {
		c := storetest.Charge("left", "a0", 10)
		c.Late = never
		left <- s.Commit(ctx, c)
	}()
	queued(s, 21)
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("one that left: %v", err)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	for s.Taking() {
		runtime.Gosched()
	}
	if err := alone(t, s, "after the end", never); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	release()
	all.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for i, err := range errs {
		if err != nil {
			t.Errorf("closing %d: %v", i, err)
		}
	}
	s = storetest.Must(t, place(t, folder), store.Options{})
	if got := storetest.Balance(t, s, "a0"); got != 1000-21*10 {
		t.Errorf("the balance is %d", got)
	}
}

// TestLoneCallersTakeTurns: two callers meet each other in all ways, and nobody
// is left waiting.
func TestLoneCallersTakeTurns(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	storetest.Fund(t, s, 100_000)
	for _, err := range storetest.Together(2, func(caller int) error {
		for n := range 300 {
			if err := alone(t, s, fmt.Sprintf("%d-%d", caller, n), func(error) {}); err != nil {
				return err
			}
		}
		return nil
	}) {
		must(t, err)
	}
	if got := storetest.Balance(t, s, "a0"); got != 100_000-2*300*10 {
		t.Errorf("the balance is %d", got)
	}
	storetest.Balanced(t, s, "a0")
}
