package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/ledger"
)

// patience is how long an order waits for its outcome. A charge that becomes
// durable afterwards is given back, unless its answer can still be had by its
// idempotency key.
const patience = 2 * time.Second

// errPatience: the caller was let go before anybody knew what became of it.
var errPatience = errors.New("the store does not answer in time")

// order is something for the committer to do, on its way: a closing, or what
// one of the fields after it says.
type order struct {
	closing.Closing
	intent    *closing.Intent
	operation *ledger.Operation
	reversal  bool      // of the closing's charge, whose answer nobody got
	work      *outcomes // of messages
	parcel    *parcel   // of the closing's batch

	since   time.Time
	led     bool       // by its caller's goroutine
	refusal error      // what the group decided
	done    chan error // what became of it
	ended   atomic.Bool
}

var orders = sync.Pool{New: func() any { return &order{done: make(chan error, 1)} }}

// wallet is the account whose wallet the order moves; empty where it moves none.
func (o *order) wallet() string {
	switch {
	case o.intent != nil:
		return o.intent.Account
	case o.operation != nil:
		return o.operation.Account
	case o.Cancel != nil:
		return o.Cancel.Account
	case o.Charge.Amount > 0 || o.Charge.Held > 0:
		return o.Charge.Account
	default:
		return ""
	}
}

// accounts are those whose wallets the order may move.
func (o *order) accounts() []string {
	if o.work != nil {
		return o.work.accounts()
	}
	return []string{o.wallet()}
}

// key is the idempotency key of the order; nil where it has none.
func (o *order) key() *closing.Key {
	if o.intent != nil {
		return o.intent.Key
	}
	return o.Key
}

// do has an order done by the committer.
func (s *Store) do(ctx context.Context, fill func(*order)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := orders.Get().(*order)
	fill(o)
	if err := o.tidy(); err != nil {
		return err
	}
	o.since = time.Now()
	// Elsewhere a database that is away is asked until it comes back.
	if err := s.queue.add(o, o.Late != nil && !s.engine.shared()); err != nil {
		return err
	}
	if o.led {
		s.commits.lead(o)
	}
	err := o.wait(ctx, &s.queue)
	if errors.Is(err, errPatience) {
		return err // the committer may have it still
	}
	o.Closing, o.intent, o.operation, o.work, o.parcel, o.refusal = closing.Closing{}, nil, nil, nil, nil, nil
	o.led = false
	o.ended.Store(false)
	orders.Put(o)
	return err
}

func (o *order) wait(ctx context.Context, q *queue) error {
	if o.led {
		return <-o.done // its caller has done it itself
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
	}
	if q.withdraw(o) {
		return ctx.Err()
	}
	return <-o.done
}

// end tells the caller what became of the order; false where it was let go.
func (o *order) end(err error) bool {
	if !o.ended.CompareAndSwap(false, true) {
		return false
	}
	if o.led && errors.Is(err, errPatience) {
		go o.answerLate(err)
		return true
	}
	o.done <- err
	return true
}

// answerLate has the call answered whose own goroutine is in the commit.
func (o *order) answerLate(err error) {
	defer func() { o.done <- err }()
	o.Late(told(commitWhat, err))
}

// watch lets callers go whose outcome takes too long. Its timer runs on from
// group to group: to set it for each would take as long as a statement.
type watch struct {
	mu    sync.Mutex
	hand  []*order
	queue *queue
	timer *time.Timer
	set   bool // the timer
}

// often is how often a watch looks while a group takes too long.
const often = 100 * time.Millisecond

func (w *watch) begin(hand []*order) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hand = hand
	if w.set {
		return
	}
	w.set = true
	wait := patience - time.Since(hand[0].since)
	if w.timer == nil {
		w.timer = time.AfterFunc(wait, w.look)
		return
	}
	w.timer.Reset(wait)
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hand = nil
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hand == nil {
		w.set = false
		return
	}
	if wait := patience - time.Since(w.hand[0].since); wait > 0 {
		w.timer.Reset(wait) // those whom it was set for have been told
		return
	}
	for _, o := range w.hand {
		o.end(errPatience)
	}
	w.queue.expire(time.Now().Add(-patience))
	w.timer.Reset(often)
}
