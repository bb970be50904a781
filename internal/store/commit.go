package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/job"
)

// How long a group waits for those whom the last group answered, and who may
// be about to come with their next call: in all, and after the last that came.
const (
	gatherLimit = 200 * time.Microsecond
	gatherPause = 50 * time.Microsecond
)

// Commit makes what a call leaves behind durable, all of it or nothing, before
// it returns. Some refusals are decided here, and are on record when they are
// returned: fault.Credit, where the wallet does not cover the charge;
// fault.Grant, where the refresh token is spent, stolen or dead; fault.Quota,
// where a batch goes beyond its Cap or a line's; fault.NotFound and
// fault.TooLate, where a batch cannot be cancelled. Any other error means that
// nothing was stored.
//
// A charge whose call id was charged before is left as it is, and that is no
// error. The context counts until the closing is taken up; from then on Commit
// waits for the outcome.
func (s *Store) Commit(ctx context.Context, c closing.Closing) error {
	if p := c.Charge; p.Amount < 0 || p.Held < 0 || (p.Amount > 0 || p.Held > 0) && c.Record.Call == "" {
		return errors.New(commitWhat + ": a charge needs an amount above zero and a call id")
	}
	p, err := s.pack(&c)
	if err != nil {
		return fmt.Errorf(commitWhat+": %w", err)
	}
	return told(commitWhat, s.do(ctx, func(o *order) { o.Closing, o.parcel = c, p }))
}

const commitWhat = "commit a closing"

// told says what was being done, but for what the group decided.
func told(what string, err error) error {
	if err == nil {
		return nil
	}
	var decided *fault.Error
	var repeated *closing.Repeated
	if errors.As(err, &decided) || errors.As(err, &repeated) || errors.Is(err, ErrClosed) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// queue holds the orders that nobody has taken yet, and knows whether somebody
// is at work: the committer's goroutine, or a caller that found nobody.
type queue struct {
	mu      sync.Mutex
	waiting []*order
	closed  bool
	busy    bool
	crowd   bool          // the last group that was taken was of more than one
	length  atomic.Int32  // of waiting, for those who only look
	wake    chan struct{} // makes the committer's goroutine the one at work
}

// add has an order wait, or makes its caller the one at work, if nobody is and
// nobody was there with the last one. In a crowd more may come in a moment, while
// the committer's goroutine wakes.
func (q *queue) add(o *order, able bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if able && !q.busy && !q.crowd {
		q.busy, o.led = true, true
		return nil
	}
	q.waiting = append(q.waiting, o)
	q.length.Store(int32(len(q.waiting)))
	q.call()
	return nil
}

// call has the committer's goroutine work, unless somebody does.
func (q *queue) call() {
	if !q.busy {
		q.busy = true
		q.wake <- struct{}{} // there is room: nobody was at work
	}
}

// leave ends a caller's work. The committer's goroutine goes on with what came
// meanwhile.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	if len(q.waiting) > 0 || q.closed {
		q.call()
	}
}

// seize begins work unless somebody is at it.
func (q *queue) seize() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy {
		return false
	}
	q.busy = true
	return true
}

// over tells whether nothing more is taken.
func (q *queue) over() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
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

// take appends at most most orders to group, the oldest first. Where there are
// none the work is ended.
func (q *queue) take(group []*order, most int) (_ []*order, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.waiting))
	q.busy = n > 0
	if q.busy {
		q.crowd = n > 1
	}
	group = append(group, q.waiting[:n]...)
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.length.Store(int32(len(q.waiting)))
	return group, q.closed
}

// expire lets those go who came before a moment.
func (q *queue) expire(before time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.waiting) && q.waiting[n].since.Before(before) {
		q.waiting[n].end(errPatience)
		n++
	}
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.length.Store(int32(len(q.waiting)))
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.call()
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

// committer takes the orders that wait, makes them durable in one transaction
// and tells each caller what became of its own. It is used by whoever is at
// work, as the queue knows.
type committer struct {
	store    *Store
	groupMax int
	alone    [1]*order // of a caller that is at work
	group    group
	watch    watch
	reversed []*order // charges to be given back: nobody got their answer
}

func (c *committer) run(done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for closed := false; !closed; {
		select {
		case <-c.store.queue.wake:
			closed = c.drain()
		case <-ticker.C:
			if c.store.queue.seize() {
				c.reverse()
				closed = c.drain()
			}
		}
	}
	c.reverse()
	_ = c.group.session.close() // whatever was told is durable
}

// lead does a caller's order in its own goroutine. To wake the committer's, and
// to be woken by it, takes a lone call longer than all that SQLite computes.
func (c *committer) lead(o *order) {
	defer func() {
		if p := recover(); p != nil {
			// As in the committer's goroutine: nobody goes on with what is half done.
			go panic(fmt.Sprintf("%v\n%s", p, debug.Stack()))
			select {}
		}
	}()
	c.alone[0] = o
	c.settle(c.alone[:])
	c.reverse()
	c.store.queue.leave()
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
		c.reverse()
		expected = 0
		if len(taken) > 1 {
			expected = len(taken) + int(q.length.Load())
		}
	}
}

// settle has the orders done and tells their callers. Where the database
// refuses what one of them holds, the others do not suffer for it.
func (c *committer) settle(taken []*order) {
	c.watch.begin(taken)
	err := c.try(taken)
	c.watch.end()
	if errors.Is(err, errRefused) && len(taken) > 1 {
		for i := range taken {
			c.settle(taken[i : i+1])
		}
		return
	}
	c.store.failing.Store(err != nil && !errors.Is(err, errRefused))
	if err == nil {
		c.store.stuck.Store(nil)
	} else if !errors.Is(err, errRefused) {
		wrote := c.group.trail.seen
		c.store.stuck.Store(&wrote)
	}
	for _, o := range taken {
		outcome := o.refusal
		if err != nil {
			outcome = err
		}
		if !o.end(outcome) && outcome == nil && o.Key == nil && !o.reversal && (o.Charge.Amount > 0 || o.parcel != nil) {
			c.reversed = append(c.reversed, o)
		}
	}
}

func (c *committer) try(taken []*order) error {
	err := c.commit(taken, false)
	if c.group.recalled && (errors.Is(err, errOutdated) || errors.Is(err, errMoved) || errors.Is(err, errUndone) && !ended(taken)) {
		err = c.commit(taken, false)
	}
	if errors.Is(err, errRepeated) {
		err = c.commit(taken, true)
	}
	if errors.Is(err, errRepeated) {
		// No repetition, since each was asked for: an id that is somebody else's.
		err = fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

func (c *committer) commit(taken []*order, careful bool) error {
	g := &c.group
	g.reset(taken, careful, c.store.now())
	err := g.run()
	if errors.Is(err, errUncertain) {
		err = c.resolve(err)
	}
	if err != nil {
		g.forget()
		return err
	}
	g.remember()
	g.trail.seen = g.trail.next
	for _, w := range g.wallets {
		if w.balance != none {
			c.store.wallets.set(w.account, w.balance)
		}
	}
	if g.woken {
		c.store.wake(job.Send)
	}
	died := false
	for name, f := range g.families {
		if f.deadAt != 0 {
			c.store.dead.add(name)
			died = died || f.changed
		}
	}
	if died {
		c.store.announce()
	}
	return nil
}

// errUndone: a commit gave no answer, and was found not to have been done.
var errUndone = errors.New("nothing was done")

// ended tells whether any of the callers was let go.
func ended(taken []*order) bool {
	return slices.ContainsFunc(taken, func(o *order) bool { return o.ended.Load() })
}

// hopeful is how often the outcome of a group is asked for before those who
// wait behind it are let go: a server that is down should not keep them.
const hopeful = 4

// resolve finds out whether the group's transaction was done. It asks until it
// knows; those who wait are let go meanwhile. Only a store that is being closed
// stops asking.
func (c *committer) resolve(uncertain error) error {
	pause := 20 * time.Millisecond
	for asked := 1; ; asked++ {
		done, err := c.group.landed()
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			return fmt.Errorf("%w: %w", errUndone, errors.Unwrap(uncertain))
		case c.store.queue.over() && asked > 3:
			return uncertain
		}
		c.store.failing.Store(true)
		if asked > hopeful {
			c.store.queue.expire(time.Now())
		}
		select {
		case <-time.After(pause):
		case <-c.store.closing:
		}
		pause = min(2*pause, 500*time.Millisecond)
	}
}

// reverse gives back what was charged for answers that nobody got. What fails
// is done the next time.
func (c *committer) reverse() {
	if len(c.reversed) == 0 {
		return
	}
	back := make([]*order, 0, len(c.reversed))
	for _, o := range c.reversed {
		r := &order{Closing: o.Closing, parcel: o.parcel, reversal: true, since: time.Now(), done: make(chan error, 1)}
		r.Rotation, r.Key, r.Cancel = nil, nil, nil
		back = append(back, r)
	}
	if c.try(back) == nil {
		c.reversed = nil
	}
}
