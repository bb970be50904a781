package cluster

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const (
	// leaseFor is how long a lease that is not renewed keeps others waiting. It
	// is renewed every pace, so that the work goes on after this and two paces
	// at most when its holder dies.
	leaseFor = 5 * time.Second
	// leaseMargin is how much earlier its holder lets go: two clocks may tick a
	// little differently.
	leaseMargin = time.Second
)

// lease is one node's view of a lease. A holder counts from before it asked to
// renew; the others count from when they saw the renewal, which is later. So
// nobody takes a lease that its holder still believes in, however far apart
// the nodes' clocks are.
type lease struct {
	table  Table
	name   string
	id     string
	now    func() time.Time // its monotonic part alone is used
	holder string           // as it was last seen
	seen   sign
	start  time.Time
	until  atomic.Int64 // nanoseconds since start
}

func newLease(table Table, name, id string, now func() time.Time) *lease {
	return &lease{table: table, name: name, id: id, now: now, start: now()}
}

// held tells whether this node has the lease now.
func (l *lease) held() bool { return int64(l.now().Sub(l.start)) < l.until.Load() }

// step renews the lease, or takes one that was not renewed for too long.
func (l *lease) step(ctx context.Context) error {
	if l.holder == l.id {
		if taken, err := l.take(ctx, l.id, l.seen.beat); taken || err != nil {
			return err
		}
	}
	holder, beat, err := l.table.LeaseHolder(ctx, l.name)
	if err != nil {
		return err
	}
	now := l.now()
	if holder != l.holder || beat != l.seen.beat || l.seen.seen.IsZero() {
		l.holder, l.seen = holder, sign{beat: beat, seen: now}
	}
	// Our own, though we did not know: the renewal before failed on its way back.
	if holder != "" && holder != l.id && now.Sub(l.seen.seen) < leaseFor {
		return nil
	}
	_, err = l.take(ctx, holder, beat)
	return err
}

func (l *lease) take(ctx context.Context, holder string, beat int64) (bool, error) {
	began := l.now()
	next := max(beat+1, began.UnixMicro())
	taken, err := l.table.TakeLease(ctx, l.name, holder, beat, l.id, next)
	if !taken || err != nil {
		return false, err
	}
	l.holder, l.seen = l.id, sign{beat: next, seen: began}
	l.until.Store(int64(began.Sub(l.start) + leaseFor - leaseMargin))
	return true, nil
}

func (l *lease) drop(ctx context.Context) {
	if l.holder == l.id {
		_ = l.table.DropLease(ctx, l.name, l.id) // the others find out by waiting
	}
	l.until.Store(0)
}

// beat says every pace that this node is alive and, where it does the chores,
// that it goes on doing them.
func (n *Node) beat(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	failing := false
	for {
		err := n.step(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			n.options.Log.Fail("this node cannot tell the others that it is alive", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (n *Node) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	err := errors.Join(n.alive.step(ctx), n.lease.step(ctx))
	if err == nil && n.lease.held() {
		err = n.alive.bury(ctx)
	}
	return err
}

// Holds tells whether this node does the chores now.
func (n *Node) Holds() bool { return !n.options.Several || n.lease.held() }

// repeat does a chore for as long as this node does the chores: at once, when
// it begins to, and then again and again.
func (n *Node) repeat(ctx context.Context, c Chore) {
	tick := time.NewTicker(min(pace, c.Every))
	defer tick.Stop()
	var due time.Time
	for {
		switch {
		case !n.Holds():
			due = time.Time{}
		case !time.Now().Before(due):
			due = time.Now().Add(c.Every)
			if err := c.Do(ctx); err != nil && ctx.Err() == nil {
				n.options.Log.Fail("a chore failed and is done again later: "+c.Name, err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
