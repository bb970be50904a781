package dispatch

import (
	"time"

	"dargah.dev/dargah/internal/job"
)

// clear looks through the queue, a few batches of each priority at a time, for
// those that are worth nothing any more, and says so of their messages.
func (d *Dispatcher) clear() {
	tick := time.NewTicker(d.looks.idle)
	defer tick.Stop()
	var at [priorities]job.Job
	for {
		select {
		case <-tick.C:
		case <-d.loading.Done():
			return
		}
		for p := range at {
			at[p] = d.clearSome(p, at[p])
		}
	}
}

// clearSome gives the last batch that it has looked at, or where it begins anew.
func (d *Dispatcher) clearSome(p int, after job.Job) job.Job {
	start := job.Job{Priority: p}
	after.Priority = p
	due, err := d.store.DueSends(d.loading, after, fewWhileAway)
	if err != nil {
		d.complain("dispatch: the queue cannot be looked through", err)
		return start
	}
	ids := make([]int64, len(due))
	for i, j := range due {
		ids[i] = j.Ref
	}
	batches, err := d.store.Batches(d.loading, ids)
	if err != nil {
		d.complain("dispatch: batches cannot be read", err)
		return start
	}
	var over []int64
	for i := range batches {
		if !d.now().Before(batches[i].Expires) {
			over = append(over, batches[i].ID)
		}
	}
	if len(over) > 0 {
		d.claimThese(over, p, 0)
	}
	if len(due) < fewWhileAway {
		return start
	}
	return due[len(due)-1]
}
