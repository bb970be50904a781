package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestFullDisk lets the database grow no further until space is made.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.Must(t, at(t, dir), store.Options{GroupMax: 32})
	storetest.Fund(t, s, 1_000_000)
	var pages int
	if err := s.Writer().QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := s.Writer().ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 20)
	spent, failed := rial.Amount(0), 0
	for round := 0; failed < 100 && round < 100; round++ {
		for _, err := range storetest.Together(50, func(i int) error {
			return s.Commit(t.Context(), storetest.Charge(fmt.Sprintf("%d-%d", round, i), "a0", 1))
		}) {
			if err == nil {
				spent++
				continue
			}
			failed++
			if refusal := new(fault.Error); errors.As(err, &refusal) {
				t.Fatalf("a full disk is told as a fault of the caller: %v", err)
			}
		}
		if got := storetest.Balance(t, s, "a0"); got != 1_000_000-spent {
			t.Fatalf("after %d paid calls the balance is %d", spent, got)
		}
	}
	if failed < 100 || spent == 0 {
		t.Fatalf("%d paid and %d failed: the disk was never full, or always", spent, failed)
	}
	limit(pages + 2000)
	if err := s.Commit(t.Context(), storetest.Charge("after", "a0", 1)); err != nil {
		t.Fatalf("there is space again: %v", err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	storetest.Close(t, s)
	s = storetest.Must(t, at(t, dir), store.Options{})
	storetest.Balanced(t, s, "a0")
	entries, records, err := s.History(t.Context(), "a0")
	if err != nil || len(entries) != int(spent)+2 || len(records) != int(spent)+1 {
		t.Errorf("%d entries and %d records of %d paid calls: %v", len(entries), len(records), spent+1, err)
	}
}

// TestReadyFindsOut: no call comes while the store says that it is not ready,
// so Ready itself must notice that the disk is well again.
func TestReadyFindsOut(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	storetest.Fund(t, s, 100)
	readOnly := func(on int) {
		t.Helper()
		if _, err := s.Writer().ExecContext(t.Context(), fmt.Sprintf(`PRAGMA query_only = %d`, on)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		readOnly(1)
		if err := s.Commit(t.Context(), storetest.Charge("c", "a0", 1)); err == nil {
			t.Fatal("written, though nothing can be")
		}
		if err := s.Ready(t.Context()); err == nil {
			t.Error("ready, though nothing can be written")
		}
		readOnly(0)
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// hold takes the writer's connection away, so that closings queue up behind
// one that the committer has in hand.
func hold(t *testing.T, s *store.Store, first func()) (release func()) {
	t.Helper()
	conn, err := s.Writer().Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	before := s.Writer().Stats().WaitCount
	go first()
	for s.Writer().Stats().WaitCount == before {
		runtime.Gosched()
	}
	return func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// queued waits until n closings are in the queue.
func queued(s *store.Store, n int) {
	for s.Waiting() != n {
		runtime.Gosched()
	}
}

// TestOneGroup puts every kind of closing into one transaction.
func TestOneGroup(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	storetest.Fund(t, s, 1000, 25)
	var wg sync.WaitGroup
	errs := make([]error, 41)
	commit := func(i int, call, from string, price rial.Amount) {
		wg.Go(func() { errs[i] = s.Commit(t.Context(), storetest.Charge(call, from, price)) })
	}
	release := hold(t, s, func() { commit(0, "first", "a0", 1) })
	for i := 1; i <= 40; i++ {
		from, call := "a0", strconv.Itoa(i)
		if i > 30 {
			from = "a1" // ten calls of 10 on a wallet of 25
		} else if i > 20 {
			call = strconv.Itoa(i - 10) // ten that are there twice
		}
		commit(i, call, from, 10)
		queued(s, i)
	}
	release()
	wg.Wait()
	refusals := 0
	for i, err := range errs {
		if err != nil && i > 30 && fault.From(err).Code == fault.Credit {
			refusals++
		} else if err != nil {
			t.Errorf("closing %d: %v", i, err)
		}
	}
	if refusals != 8 || storetest.Balance(t, s, "a0") != 1000-1-200 || storetest.Balance(t, s, "a1") != 5 {
		t.Errorf("%d refusals, balances %d and %d", refusals, storetest.Balance(t, s, "a0"), storetest.Balance(t, s, "a1"))
	}
	storetest.Balanced(t, s, "a0")
	storetest.Balanced(t, s, "a1")
}

// TestCancelledInTheQueue: a caller that leaves before its closing is taken up
// leaves nothing; one that leaves later gets the outcome.
func TestCancelledInTheQueue(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	storetest.Fund(t, s, 100)
	ctx, cancel := context.WithCancel(context.Background())
	type outcome struct {
		name string
		err  error
	}
	outcomes := make(chan outcome, 3)
	commit := func(ctx context.Context, name string) {
		go func() { outcomes <- outcome{name, s.Commit(ctx, storetest.Charge(name, "a0", 10))} }()
	}
	release := hold(t, s, func() { commit(ctx, "taken up") })
	commit(context.Background(), "stays")
	queued(s, 1)
	commit(ctx, "waits")
	queued(s, 2)
	cancel()
	if got := <-outcomes; got.name != "waits" || !errors.Is(got.err, context.Canceled) {
		t.Errorf("%s: %v", got.name, got.err)
	}
	release()
	for range 2 {
		if got := <-outcomes; got.err != nil {
			t.Errorf("%s: %v", got.name, got.err)
		}
	}
	entries, records, err := s.History(context.Background(), "a0")
	if err != nil || len(entries) != 3 || len(records) != 2 || storetest.Balance(t, s, "a0") != 80 {
		t.Errorf("%d entries, %d records, balance %d: %v", len(entries), len(records), storetest.Balance(t, s, "a0"), err)
	}
}

// TestTallyAdds: counts of one kind add up, whichever minute they were drained in.
func TestTallyAdds(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	kind := audit.Garbage{Minute: 7, Peer: netip.MustParseAddr("192.0.2.1"), Dialect: "uid", Outcome: fault.Credentials}
	other := kind
	other.Peer = netip.Addr{}
	for range 3 {
		if err := s.WriteTally(t.Context(), map[audit.Garbage]int64{kind: 5, other: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for peer, want := range map[string]int{"192.0.2.1": 15, "": 3} {
		var got int
		err := s.Writer().QueryRowContext(t.Context(), `SELECT calls FROM tally WHERE minute = 7 AND peer = $1 AND dialect = 'uid' AND outcome = 'credentials'`, peer).Scan(&got)
		if err != nil || got != want {
			t.Errorf("peer %q: %d calls, want %d: %v", peer, got, want, err)
		}
	}
}

// TestLateCommitIsGivenBack: a caller is let go whose commit takes too long, and
// does not pay for the answer that it never got.
func TestLateCommitIsGivenBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.Must(t, at(t, dir), store.Options{})
	storetest.Fund(t, s, 100)
	errs := make(chan error, 3)
	commit := func(call string) { errs <- s.Commit(context.Background(), storetest.Charge(call, "a0", 10)) }
	release := hold(t, s, func() { commit("taken up") })
	go commit("waits")
	queued(s, 1)
	for range 2 {
		if err := <-errs; err == nil {
			t.Error("answered, though nothing could be written")
		} else if refusal := new(fault.Error); errors.As(err, &refusal) {
			t.Errorf("a late commit is told as a fault of the caller: %v", err)
		}
	}
	release()
	commit("after")
	if err := <-errs; err != nil {
		t.Error(err)
	}
	storetest.Close(t, s)
	s = storetest.Must(t, at(t, dir), store.Options{})
	entries, _, err := s.History(t.Context(), "a0")
	if err != nil {
		t.Fatal(err)
	}
	sum := map[string]rial.Amount{}
	for _, e := range entries {
		sum[strings.TrimPrefix(e.Call, "unheard/")] += e.Amount
	}
	if sum["taken up"] != 0 || sum["waits"] != 0 || sum["after"] != -10 || storetest.Balance(t, s, "a0") != 90 {
		t.Errorf("movements %v, balance %d", sum, storetest.Balance(t, s, "a0"))
	}
	storetest.Even(t, s)
}
