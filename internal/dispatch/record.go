package dispatch

import (
	"time"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
)

const (
	// mostUnrecorded is how many outcomes may wait: what was sent and is not
	// recorded when the process dies is sent again.
	mostUnrecorded = 1024
	// mostRecorded is how many are recorded together.
	mostRecorded = 1024
)

// outcome is what became of a message: a result, or a time to try again, or
// neither where somebody else has it now.
type outcome struct {
	batch  *batch
	result sms.Result // without an id where there is none
	retry  time.Time
}

// settle ends the work on a message.
func (d *Dispatcher) settle(m *message, state sms.State) {
	o := outcome{batch: m.batch, result: m.result(state, d.now())}
	if m.way != nil {
		o.result.Operator = m.way.Operator.Name()
	}
	d.results <- o
}

func (m *message) result(state sms.State, now time.Time) sms.Result {
	return sms.Result{
		Message: m.ID, Batch: m.batch.ID, Parts: m.accepted, Operator: m.Operator, State: state, Doubt: m.Doubt, At: now,
	}
}

// putOff gives a message back to the durable queue. One of which parts were
// accepted begins from the first again, so it is in doubt.
func (d *Dispatcher) putOff(m *message, until time.Time) {
	o := outcome{batch: m.batch, retry: until}
	if m.way != nil {
		m.Doubt = true
	}
	if m.Doubt {
		o.result = m.result(sms.Queued, d.now())
		o.result.Parts, o.result.Operator = nil, ""
	}
	d.results <- o
}

// abandon lets go of a message whose lease has ended.
func (d *Dispatcher) abandon(m *message) {
	d.log.Fail("dispatch: a message is left to others", errLease)
	d.results <- outcome{batch: m.batch}
}

// record makes outcomes durable, as many together as there are.
func (d *Dispatcher) record() {
	var group []outcome
	for first := range d.results {
		group = append(group[:0], first)
		for len(group) < mostRecorded {
			select {
			case o, open := <-d.results:
				if open {
					group = append(group, o)
					continue
				}
			default:
			}
			break
		}
		d.persist(group)
	}
}

// ending is what is over with a group.
type ending struct {
	results []sms.Result
	retries map[time.Time][]int64
	gone    []int64 // held no more
}

// sum finds out which batches end with the group. The recorder alone does, in
// the order of what is recorded: a job must not be done before its results are.
func sum(group []outcome) ending {
	e := ending{results: make([]sms.Result, 0, len(group)), retries: map[time.Time][]int64{}}
	for _, o := range group {
		b := o.batch
		b.left--
		switch {
		case o.retry.IsZero() && o.result.Message == 0:
			b.lost = true
		case !o.retry.IsZero() && (b.retry.IsZero() || o.retry.Before(b.retry)):
			b.retry = o.retry
		}
		last := b.left == 0
		over := last && !b.lost && b.retry.IsZero()
		if o.result.Message != 0 {
			o.result.Done = over
			e.results = append(e.results, o.result)
		}
		if !last {
			continue
		}
		e.gone = append(e.gone, b.ID)
		if !b.lost && !b.retry.IsZero() {
			due := b.retry.Truncate(10 * time.Millisecond) // those of one moment go together
			e.retries[due] = append(e.retries[due], b.ID)
		}
	}
	return e
}

func (d *Dispatcher) persist(group []outcome) {
	e := sum(group)
	d.insist("results are not recorded yet", func() error {
		if len(e.results) == 0 {
			return nil
		}
		return d.store.Record(d.storing, e.results)
	})
	for due, refs := range e.retries {
		d.insist("batches are not given back yet", func() error {
			return d.store.RetryJobs(d.storing, job.Send, d.holder, refs, due)
		})
	}
	for _, id := range e.gone {
		d.held.drop(id)
	}
	if len(e.gone) > 0 && !d.held.some() {
		d.queue.hungry.Raise() // the loader does not know when the next batch is due while there is work
	}
}

// insist does it until it succeeds or there is no time left: while the store is
// away nothing more is sent than there is room for here.
func (d *Dispatcher) insist(what string, do func() error) {
	const first, last = 50 * time.Millisecond, 2 * time.Second
	for wait := first; d.storing.Err() == nil; wait = min(2*wait, last) {
		err := do()
		if err == nil {
			return
		}
		if d.storing.Err() == nil {
			d.log.Fail("dispatch: "+what, err)
		}
		select {
		case <-time.After(wait):
		case <-d.storing.Done():
		}
	}
}
