package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/closing"
)

// How long a group waits for those whom the last group answered, and who may
// be about to come with their next call: in all, and after the last that came.
const (
	gatherLimit = 200 * time.Microsecond
	gatherPause = 50 * time.Microsecond
)

// Commit makes what a call leaves behind durable, all of it or nothing, before
// it returns. Two refusals are decided here, and are on record when they are
// returned: fault.Credit, where the wallet does not cover the charge, and
// fault.Grant, where the refresh token is spent, stolen or dead. Any other
// error means that nothing was stored.
//
// A charge whose call id was charged before is left as it is, and that is no
// error. The context counts until the closing is taken up; from then on Commit
// waits for the outcome.
func (s *Store) Commit(ctx context.Context, c closing.Closing) error {
	if c.Charge.Amount < 0 || c.Charge.Amount > 0 && c.Record.Call == "" {
		return errors.New("commit a closing: a charge needs an amount above zero and a call id")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit a closing: %w", err)
	}
	o := orders.Get().(*order)
	o.Closing = c
	if err := s.queue.add(o); err != nil {
		return err
	}
	err := o.wait(ctx, &s.queue)
	o.Closing = closing.Closing{}
	orders.Put(o)
	return err
}

// order is a closing on its way.
type order struct {
	closing.Closing
	refusal error      // what the group decided
	done    chan error // what became of it
}

var orders = sync.Pool{New: func() any { return &order{done: make(chan error, 1)} }}

func (o *order) wait(ctx context.Context, q *queue) error {
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
	}
	if q.withdraw(o) {
		return fmt.Errorf("commit a closing: %w", ctx.Err())
	}
	return <-o.done
}

// queue holds the closings that nobody has taken yet.
type queue struct {
	mu      sync.Mutex
	waiting []*order
	closed  bool
	length  atomic.Int32  // of waiting, for those who only look
	wake    chan struct{} // holds one signal at most
}

func (q *queue) add(o *order) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.waiting = append(q.waiting, o)
	q.length.Store(int32(len(q.waiting)))
	q.mu.Unlock()
	q.signal()
	return nil
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// withdraw takes an order back; false when it was taken up.
func (q *queue) withdraw(o *order) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, o)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.length.Store(int32(len(q.waiting)))
	return true
}

// take appends at most most orders to group, the oldest first.
func (q *queue) take(group []*order, most int) (_ []*order, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.waiting))
	group = append(group, q.waiting[:n]...)
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.length.Store(int32(len(q.waiting)))
	return group, q.closed
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

// gather lets others run until as many orders wait as are expected, or none
// has come for a while.
func (q *queue) gather(expected int) {
	start := time.Now()
	for seen, came := -1, start; ; runtime.Gosched() {
		n, now := int(q.length.Load()), time.Now()
		if n != seen {
			seen, came = n, now
		}
		if n >= expected || now.Sub(came) >= gatherPause || now.Sub(start) >= gatherLimit {
			return
		}
	}
}

// committer takes the closings that wait, makes them durable in one
// transaction and tells each caller what became of its own.
type committer struct {
	store    *Store
	groupMax int
	group    group
}

func (c *committer) run(done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for closed := false; !closed; {
		select {
		case <-c.store.queue.wake:
			closed = c.drain()
		case <-ticker.C:
			c.sweep()
		}
	}
}

// drain commits group after group until nobody waits. After a group of more
// than one it expects those back whom it answered, besides those who came
// meanwhile; a lone caller is never kept waiting.
func (c *committer) drain() (closed bool) {
	q := &c.store.queue
	var taken []*order
	for expected := 0; ; {
		if expected > 1 {
			q.gather(expected)
		}
		taken, closed = q.take(taken[:0], c.groupMax)
		if len(taken) == 0 {
			return closed
		}
		c.settle(taken)
		expected = 0
		if len(taken) > 1 {
			expected = len(taken) + int(q.length.Load())
		}
	}
}

func (c *committer) settle(taken []*order) {
	err := c.commit(taken, false)
	if errors.Is(err, errRepeated) {
		err = c.commit(taken, true)
	}
	c.store.failing.Store(err != nil)
	for _, o := range taken {
		if err != nil {
			o.done <- fmt.Errorf("commit a group of closings: %w", err)
			continue
		}
		o.done <- o.refusal
	}
}

func (c *committer) commit(taken []*order, careful bool) error {
	g := &c.group
	g.reset(taken, careful, c.store.now())
	if err := transact(c.store.writer, g.run); err != nil {
		return err
	}
	g.trail.head = g.trail.next
	for _, w := range g.touched {
		c.store.wallets.set(w.account, w.balance)
	}
	for name, f := range g.families {
		if f.changed && f.deadAt != 0 {
			c.store.dead.add(name)
		}
	}
	return nil
}

// sweep runs beside no group, so that a family that dies meanwhile cannot be
// missed. What fails is done the next time.
func (c *committer) sweep() {
	ctx := context.Background()
	if c.store.sweep(ctx) == nil {
		_ = c.store.loadDead(ctx)
	}
}
