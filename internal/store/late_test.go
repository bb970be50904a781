package store_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestLateBatchIsUndone: messages of a call whose commit came through after its
// caller was told that nothing was done are not sent, and cost nothing.
func TestLateBatchIsUndone(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s, late := lately(t, at, func() {})
		storetest.Close(t, s) // what is to be given back is, before it ends
		s = storetest.Must(t, place(t, at), store.Options{})
		wantLate(t, s, late.Batch.ID, sms.Cancelled, []movement{{ledger.Opening, 101}, {ledger.Charge, -1}, {ledger.Charge, -30}, {ledger.Refund, 30}})
		if jobs, err := s.ClaimJobs(t.Context(), job.Send, "node", 9, time.Minute); err != nil || len(jobs) != 0 {
			t.Errorf("there is still something to send: %v, %v", jobs, err)
		}
		storetest.Even(t, s)
	})
}

// TestLateBatchThatWasTaken: messages that are on their way to an operator when
// they are to be undone are sent, and paid for. Where no operator accepts them
// they are refunded, as all are.
func TestLateBatchThatWasTaken(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		// Meanwhile nothing can be given back.
		s, late := lately(t, at, func() { alter(t, at, `ALTER TABLE operation RENAME TO kept`) })
		var taken []job.Job
		for from := time.Now(); len(taken) == 0 && time.Since(from) < 20*time.Second; {
			jobs, err := s.ClaimJobs(t.Context(), job.Send, "node", 9, time.Hour)
			must(t, err)
			taken = jobs
		}
		alter(t, at, `ALTER TABLE kept RENAME TO operation`)
		storetest.Close(t, s)
		s = storetest.Must(t, place(t, at), store.Options{})
		paid := []movement{{ledger.Opening, 101}, {ledger.Charge, -1}, {ledger.Charge, -30}}
		wantLate(t, s, late.Batch.ID, sms.Queued, paid)
		var results []sms.Result
		for _, m := range late.Batch.Messages {
			results = append(results, sms.Result{Message: m.ID, Batch: late.Batch.ID, State: sms.Failed, At: time.Now()})
		}
		must(t, s.Record(t.Context(), results))
		wantLate(t, s, late.Batch.ID, sms.Failed, append(paid, movement{ledger.Refund, 30}))
		storetest.Even(t, s)
	})
}

// lately opens a store of which the first account holds 100 rials, and has a
// sending of it committed after its caller was let go.
func lately(t *testing.T, at store.Location, before func()) (s *store.Store, late closing.Closing) {
	t.Helper()
	way := &answerWay{}
	s = storetest.Must(t, place(t, way.through(t, at)), store.Options{})
	storetest.Fund(t, s, 101)
	// From now on the committer knows all that it decides by: what it sends next
	// is a whole transaction.
	must(t, s.Commit(t.Context(), storetest.Charge("first", "a0", 1)))
	late = storetest.Sending(t, s, "late", "a0", 3)
	before()
	heard := make(chan error, 1)
	commit := func() { heard <- s.Commit(t.Context(), late) }
	release := way.open
	if at.Database == "" {
		release = hold(t, s, commit)
	} else {
		way.shut()
		go commit()
	}
	err := <-heard
	if refusal := new(fault.Error); err == nil || errors.As(err, &refusal) {
		t.Errorf("a late commit is told as %v", err)
	}
	release()
	return s, late
}

// answerWay is for what PostgreSQL says, and can be shut: then questions arrive,
// and what is said waits.
type answerWay struct {
	mu   sync.Mutex
	gone chan struct{} // closed when the way is open; nil: it is
}

func (a *answerWay) shut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = make(chan struct{})
}

func (a *answerWay) open() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone != nil {
		close(a.gone)
		a.gone = nil
	}
}

func (a *answerWay) wait() {
	a.mu.Lock()
	gone := a.gone
	a.mu.Unlock()
	if gone != nil {
		<-gone
	}
}

// through is the same database at the end of the way; on SQLite there is none.
func (a *answerWay) through(t *testing.T, at store.Location) store.Location {
	t.Helper()
	if at.Database == "" {
		return at
	}
	u, err := url.Parse(at.Database)
	must(t, err)
	server := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { a.open(); _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go a.serve(client, server)
		}
	}()
	u.Host = listener.Addr().String()
	at.Database = u.String()
	return at
}

func (a *answerWay) serve(client net.Conn, server string) {
	defer client.Close()
	up, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		_, _ = io.Copy(up, client)
		_ = up.Close()
	}()
	for b := make([]byte, 64<<10); ; {
		n, err := up.Read(b)
		a.wait()
		if _, failed := client.Write(b[:n]); failed != nil || err != nil {
			return
		}
	}
}

type movement struct {
	kind   ledger.Kind
	amount int64
}

// wantLate looks at all messages of a batch, and all movements of the account.
func wantLate(t *testing.T, s *store.Store, batch int64, state sms.State, want []movement) {
	t.Helper()
	all, err := s.Batches(t.Context(), []int64{batch})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d batches, %v", len(all), err)
	}
	for _, m := range all[0].Messages {
		if m.State != state {
			t.Errorf("message %d is in state %d, want %d", m.ID, m.State, state)
		}
	}
	entries, _, err := s.History(t.Context(), "a0")
	must(t, err)
	if len(entries) != len(want) {
		t.Fatalf("%d movements, want %v", len(entries), want)
	}
	for i, e := range entries {
		if got := (movement{e.Kind, int64(e.Amount)}); got != want[i] {
			t.Errorf("movement %d: %v, want %v", i+1, got, want[i])
		}
	}
}
