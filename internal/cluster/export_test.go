package cluster

import (
	"context"
	"time"

	"dargah.dev/dargah/internal/finding"
)

// Holder is a lease for tests that move its clock.
type Holder struct{ lease *lease }

// NewHolder makes one that reads now for its clock.
func NewHolder(table Table, id string, now func() time.Time) *Holder {
	return &Holder{newLease(table, "work", id, now)}
}

// Step renews the lease or tries to take it, and Held tells whether it is held.
func (h *Holder) Step(ctx context.Context) error { return h.lease.step(ctx) }

// Held tells whether the lease is held.
func (h *Holder) Held() bool { return h.lease.held() }

// Drop gives the lease up.
func (h *Holder) Drop(ctx context.Context) { h.lease.drop(ctx) }

// Alive counts nodes, for tests that move its clock.
type Alive struct{ alive *alive }

// NewAlive makes one that reads now for its clock.
func NewAlive(table Table, id string, now func() time.Time) *Alive {
	return &Alive{&alive{table: table, id: id, now: now}}
}

// Step says that the node is alive and looks for others, and removes those
// that are long gone.
func (a *Alive) Step(ctx context.Context) error {
	if err := a.alive.step(ctx); err != nil {
		return err
	}
	return a.alive.bury(ctx)
}

// Count is how many are alive.
func (a *Alive) Count() int { return a.alive.count() }

// Leave says that the node ends.
func (a *Alive) Leave(ctx context.Context) { a.alive.leave(ctx) }

// The times that tests count in.
const (
	Deadline  = deadline
	LeaseFor  = leaseFor
	DeadAfter = deadAfter
	GoneAfter = goneAfter
)

// JudgeServer judges what INFO says.
func JudgeServer(said map[string]string) (l finding.List) {
	judgeServer(&l, said)
	return l
}

// Wait lets calls wait longer for Redis than they should, for tests that are not
// about that: a busy machine is slow.
func (r *Redis) Wait(most time.Duration) { r.within.Store(int64(most)) }

// Wait is Redis's.
func (n *Node) Wait(most time.Duration) { n.redis.Wait(most) }
