package cluster

import (
	"context"
	"sync/atomic"
	"time"
)

// Table is where nodes write for each other. No node reads another's clock in
// it: a beat that changes is a sign of life, and by its own clock each node
// measures how long one has stayed the same.
type Table interface {
	// LeaseHolder gives who has a lease, and its beat; both zero if nobody has.
	LeaseHolder(ctx context.Context, lease string) (holder string, beat int64, err error)
	// TakeLease gives a lease to a node, where holder and beat are still what they
	// were, or where nobody has it, and tells whether it did.
	TakeLease(ctx context.Context, lease, holder string, beat int64, node string, next int64) (bool, error)
	// DropLease ends a node's hold of a lease.
	DropLease(ctx context.Context, lease, node string) error
	Beat(ctx context.Context, node string, beat int64) error
	Beats(ctx context.Context) (map[string]int64, error)
	// RemoveNode removes a node whose beat is still this one.
	RemoveNode(ctx context.Context, node string, beat int64) error
}

const (
	// deadAfter is how long a node may be silent before its part of the rates
	// goes to the others.
	deadAfter = 5 * time.Second
	// goneAfter is how long a node may be silent before its row is removed.
	goneAfter = 10 * time.Minute
)

// alive counts the nodes that are.
type alive struct {
	table  Table
	id     string
	now    func() time.Time // its monotonic part alone is used
	beat   int64
	others map[string]sign
	living atomic.Int64
}

// sign is a node's last beat, and when this node saw it first.
type sign struct {
	beat int64
	seen time.Time
}

// count is how many nodes are alive, this one among them. While the database
// cannot be asked it stays as it was.
func (a *alive) count() int { return int(max(a.living.Load(), 1)) }

// step says that this node is alive, and looks who else is.
func (a *alive) step(ctx context.Context) error {
	a.beat = max(a.beat+1, a.now().UnixMicro())
	if err := a.table.Beat(ctx, a.id, a.beat); err != nil {
		return err
	}
	beats, err := a.table.Beats(ctx)
	if err != nil {
		return err
	}
	a.notice(beats)
	return nil
}

func (a *alive) notice(beats map[string]int64) {
	now := a.now()
	next := make(map[string]sign, len(beats))
	living := int64(1)
	for id, beat := range beats {
		if id == a.id {
			continue
		}
		s, known := a.others[id]
		if !known || s.beat != beat {
			s = sign{beat: beat, seen: now}
		}
		next[id] = s
		if now.Sub(s.seen) < deadAfter {
			living++
		}
	}
	a.others = next
	a.living.Store(living)
}

// bury removes the rows of nodes that ended without a word.
func (a *alive) bury(ctx context.Context) error {
	for id, s := range a.others {
		if a.now().Sub(s.seen) < goneAfter {
			continue
		}
		if err := a.table.RemoveNode(ctx, id, s.beat); err != nil {
			return err
		}
	}
	return nil
}

func (a *alive) leave(ctx context.Context) { _ = a.table.RemoveNode(ctx, a.id, a.beat) }
