package dispatch

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
)

// batch is one that this process holds.
type batch struct {
	sms.Batch
	job   job.Job
	until atomic.Int64 // when it may send no more of it, in microseconds

	// Those of the recorder.
	left  int
	retry time.Time // when the rest is to be tried; zero if there is none
	lost  bool      // somebody else may have it
}

// lane is where its messages queue.
func (b *batch) lane() int { return min(int(b.Priority), priorities-1) }

// ours tells whether no other process can have taken it over.
func (b *batch) ours(now time.Time) bool { return now.UnixMicro() < b.until.Load() }

func (b *batch) extend(from time.Time) { b.until.Store(from.Add(lease - leaseMargin).UnixMicro()) }

// held are the batches of which something is still to be recorded.
type held struct {
	mu      sync.Mutex
	batches map[int64]*batch
}

func (h *held) add(b *batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.batches[b.ID] = b
}

func (h *held) drop(id int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.batches, id)
}

func (h *held) has(id int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, has := h.batches[id]
	return has
}

func (h *held) some() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.batches) > 0
}

func (h *held) refs() []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.batches))
}

// extend begins leases anew that have not run out: one that has may be somebody
// else's by now.
func (h *held) extend(refs []int64, from, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ref := range refs {
		if b := h.batches[ref]; b != nil && b.ours(now) {
			b.extend(from)
		}
	}
}

// keep extends the leases until the last result is recorded.
func (d *Dispatcher) keep() {
	tick := time.NewTicker(lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-d.storing.Done():
			return
		}
		d.extendAll(d.storing)
	}
}

func (d *Dispatcher) extendAll(ctx context.Context) {
	refs := d.held.refs()
	if len(refs) == 0 {
		return
	}
	from := d.now()
	if err := d.store.ExtendJobs(ctx, job.Send, d.holder, refs, lease); err != nil {
		d.log.Fail("dispatch: leases could not be extended", err)
		return
	}
	d.held.extend(refs, from, d.now())
}
