package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/dispatch"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// scripted is an operator that answers as it is told to.
type scripted struct {
	name   string
	window int
	ready  atomic.Bool
	turned operator.Signal
	answer func(n int, p operator.Part) error // nil: accepts; n counts from 0

	mu       sync.Mutex
	seen     []operator.Part
	accepted map[string]int // by message and place: how often
}

func operatorOf(name string, answer func(n int, p operator.Part) error) *scripted {
	o := &scripted{name: name, window: 4, answer: answer, turned: operator.NewSignal(), accepted: map[string]int{}}
	o.ready.Store(true)
	return o
}

func (o *scripted) Name() string                { return o.name }
func (o *scripted) Ready() bool                 { return o.ready.Load() }
func (o *scripted) Changed() <-chan struct{}    { return o.turned }
func (o *scripted) Window() int                 { return o.window }
func (o *scripted) Close(context.Context) error { return nil }

func (o *scripted) Submit(ctx context.Context, p operator.Part) (string, error) {
	o.mu.Lock()
	n := len(o.seen)
	o.seen = append(o.seen, p)
	o.mu.Unlock()
	if o.answer != nil {
		if err := o.answer(n, p); err != nil {
			return "", fmt.Errorf("operator %s: %w", o.name, err)
		}
	}
	if ctx.Err() != nil {
		return "", operator.ErrDoubt
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.accepted[spot(p.Message, p.Number)]++
	return fmt.Sprintf("%s-%d", o.name, n), nil
}

// turn has it become ready, or not.
func (o *scripted) turn(ready bool) {
	o.ready.Store(ready)
	o.turned.Raise()
}

func spot(message int64, place int) string { return fmt.Sprintf("%d/%d", message, place) }

func (o *scripted) parts() []operator.Part {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]operator.Part(nil), o.seen...)
}

// clock is time that a test moves on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// rig is a store with accounts a0 and a1 of 10,000 rials each.
type rig struct {
	*testing.T
	clock clock
	store *store.Store
	calls int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t}
	s, err := store.Open(t.Context(), storetest.Folder(t), store.Options{Now: r.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r.store = s
	storetest.Fund(t, s, 10_000, 10_000)
	return r
}

// start runs a dispatcher until the test ends.
func (r *rig) start(ways ...dispatch.Way) *dispatch.Dispatcher {
	r.Helper()
	d := r.run(r.store, ways...)
	r.Cleanup(func() { r.drain(d) })
	return d
}

func (r *rig) run(s dispatch.Store, ways ...dispatch.Way) *dispatch.Dispatcher {
	r.Helper()
	d := r.made(s, ways...)
	d.Start()
	return d
}

func (r *rig) made(s dispatch.Store, ways ...dispatch.Way) *dispatch.Dispatcher {
	r.Helper()
	d, err := dispatch.New(dispatch.Options{Store: s, Ways: ways, Wake: r.store.Wake("send"), Log: &event.Log{}, Now: r.clock.now})
	if err != nil {
		r.Fatal(err)
	}
	return d
}

func (r *rig) drain(d *dispatch.Dispatcher) {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := d.Drain(ctx); err != nil {
		r.Error(err)
	}
}

func over(all ...*scripted) (ways []dispatch.Way) {
	for _, o := range all {
		ways = append(ways, dispatch.Way{Operator: o})
	}
	return ways
}

// sends commits a batch of n messages and gives its id.
func (r *rig) sends(n int, edit ...func(*sms.Batch)) int64 {
	r.Helper()
	r.calls++
	now := r.clock.now().UTC().Truncate(time.Microsecond)
	edit = append([]func(*sms.Batch){func(b *sms.Batch) {
		b.At, b.Due, b.Expires = now, now, now.Add(time.Hour)
	}}, edit...)
	c := storetest.Sending(r, r.store, fmt.Sprintf("call-%d", r.calls), "a0", n, edit...)
	if err := r.store.Commit(r.Context(), c); err != nil {
		r.Fatal(err)
	}
	return c.Batch.ID
}

func (r *rig) batch(id int64) sms.Batch {
	r.Helper()
	all, err := r.store.Batches(r.Context(), []int64{id})
	if err != nil || len(all) != 1 {
		r.Fatalf("batch %d: %d found, %v", id, len(all), err)
	}
	return all[0]
}

// settled waits until all messages of the batches have one of the states.
func (r *rig) settled(state sms.State, ids ...int64) {
	r.Helper()
	r.eventually(fmt.Sprintf("all messages are in state %d", state), func() bool {
		for _, id := range ids {
			for _, m := range r.batch(id).Messages {
				if m.State != state {
					return false
				}
			}
		}
		return true
	})
}

func (r *rig) eventually(what string, so func() bool) {
	r.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			r.Fatalf("it never came about: %s", what)
		}
	}
}

func (r *rig) balance(want int64) {
	r.Helper()
	if got := int64(storetest.Balance(r, r.store, "a0")); got != want {
		r.Errorf("the balance is %d, want %d", got, want)
	}
}

var errRecord = errors.New("a test keeps this from being recorded")

// forgetful is a store on which nothing is recorded: what a process leaves that
// is killed between an operator's answer and the record of it.
type forgetful struct{ *store.Store }

func (forgetful) Record(context.Context, []sms.Result) error { return errRecord }
func (forgetful) RetryJobs(context.Context, string, string, []int64, time.Time) error {
	return errRecord
}
