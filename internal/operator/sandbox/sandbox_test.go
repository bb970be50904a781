package sandbox_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/sandbox"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// ear keeps what it hears.
type ear struct {
	mu    sync.Mutex
	heard []operator.Receipt
	deaf  bool
}

func (e *ear) Receipt(_ context.Context, r operator.Receipt) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf {
		return errors.New("not stored")
	}
	e.heard = append(e.heard, r)
	return nil
}

func (e *ear) Late(context.Context, operator.Late) error {
	return errors.New("nobody is late here")
}

func (e *ear) Arrival(context.Context, operator.Arrival) error {
	return errors.New("nobody sends here")
}

// states are what was heard, by id.
func (e *ear) states() map[string]sms.State {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := map[string]sms.State{}
	for _, r := range e.heard {
		all[r.ID] = r.State
	}
	return all
}

func mobile(t *testing.T, s string) persian.Mobile {
	t.Helper()
	m, err := persian.ParseMobile(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func submit(t *testing.T, o *sandbox.Operator, p operator.Part) string {
	t.Helper()
	id, err := o.Submit(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func open(t *testing.T, e *ear, before ...string) *sandbox.Operator {
	t.Helper()
	return sandbox.New(sandbox.Options{
		Sink: e, Log: &event.Log{}, Open: func(context.Context) ([]string, error) { return before, nil },
	})
}

func TestFates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &ear{}
		o := open(t, e)
		if err := o.Put([]sandbox.Rule{
			{When: map[string]string{"recipient": "09120000001"}, Delivery: "undelivered", After: 3 * time.Second, Times: 1},
			{When: map[string]string{"recipient": "09120000002"}, Delivery: "pending"},
			{When: map[string]string{"recipient": "09120000003"}, Delivery: "rejected"},
			{When: map[string]string{"nationalCode": "1"}, Delivery: "expired"},
		}); err != nil {
			t.Fatal(err)
		}
		one := func(message int64, to string) string {
			return submit(t, o, operator.Part{To: mobile(t, to), Message: message, Number: 1, Total: 1})
		}
		failing := one(1, "09120000001")
		second := one(2, "09120000001")
		pending := one(3, "09120000002")
		rejected := one(4, "09120000003")
		usual := one(5, "09120000004")
		pass(999 * time.Millisecond)
		synctest.Wait()
		if n := len(e.states()); n != 0 {
			t.Errorf("%d receipts before their time", n)
		}
		pass(time.Millisecond)
		synctest.Wait()
		want := map[string]sms.State{second: sms.Delivered, rejected: sms.Rejected, usual: sms.Delivered}
		if diff := cmp.Diff(want, e.states()); diff != "" {
			t.Error(diff)
		}
		pass(time.Hour)
		synctest.Wait()
		want[failing] = sms.Undelivered
		if diff := cmp.Diff(want, e.states()); diff != "" {
			t.Errorf("(the pending one is %s) %s", pending, diff)
		}
		if err := o.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// All parts of a message have one fate, and use a scenario once.
func TestPartsShareTheirFate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &ear{}
		o := open(t, e)
		if err := o.Put([]sandbox.Rule{{Delivery: "expired", Times: 2}}); err != nil {
			t.Fatal(err)
		}
		to := mobile(t, "09120000001")
		for message := range int64(3) {
			for place := 1; place <= 3; place++ {
				submit(t, o, operator.Part{To: to, Message: message, Number: place, Total: 3})
			}
		}
		pass(time.Second)
		synctest.Wait()
		counts := map[sms.State]int{}
		for _, state := range e.states() {
			counts[state]++
		}
		if diff := cmp.Diff(map[sms.State]int{sms.Expired: 6, sms.Delivered: 3}, counts); diff != "" {
			t.Error(diff)
		}
		_ = o.Close(t.Context())
	})
}

// A receipt that was due while the process was down comes after it.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := &ear{deaf: true}
		o := open(t, before)
		to := mobile(t, "09120000001")
		id := submit(t, o, operator.Part{To: to, Message: 7, Number: 1, Total: 1})
		pass(2 * time.Second)
		_ = o.Close(t.Context())
		after := &ear{}
		o = open(t, after, id, "what is this", "1.2.3")
		synctest.Wait()
		if diff := cmp.Diff(map[string]sms.State{id: sms.Delivered}, after.states()); diff != "" {
			t.Error(diff)
		}
		_ = o.Close(t.Context())
		if _, err := o.Submit(t.Context(), operator.Part{To: to}); !errors.Is(err, operator.ErrUnsent) || o.Ready() {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A receipt that could not be stored is brought again.
func TestReceiptIsBroughtUntilItIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &ear{deaf: true}
		o := open(t, e)
		id := submit(t, o, operator.Part{To: mobile(t, "09120000001"), Message: 7, Number: 1, Total: 1})
		pass(5 * time.Second)
		e.mu.Lock()
		e.deaf = false
		e.mu.Unlock()
		pass(time.Second)
		synctest.Wait()
		if diff := cmp.Diff(map[string]sms.State{id: sms.Delivered}, e.states()); diff != "" {
			t.Error(diff)
		}
		_ = o.Close(t.Context())
	})
}

func TestUnknownDelivery(t *testing.T) {
	t.Parallel()
	o := open(t, &ear{})
	if err := o.Put([]sandbox.Rule{{Delivery: "lost"}}); err == nil {
		t.Error("accepted")
	}
	_ = o.Close(t.Context())
}

// pass lets the bubble's time pass.
func pass(d time.Duration) { <-time.After(d) }
