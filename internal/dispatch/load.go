package dispatch

import (
	"errors"
	"time"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
)

// mostQueued is how many messages of each priority are in memory before no more
// of it, or of those that go after it, are taken from the queue. Each has room
// of its own, so that a campaign keeps nobody else out.
var mostQueued = [priorities]int{sms.Urgent: 1000, sms.Normal: 2000, sms.Bulk: 4000}

const (
	// mostAtOnce is how many batches are taken at once, and mostOf is how many
	// messages one of Bulk is expected to have.
	mostAtOnce = 512
	mostOf     = 100
	// While no way takes anything, fewWhileAway batches are looked at every
	// idle look, so that what is worth nothing any more is told.
	fewWhileAway = 100
	// awayFor is how long a message is put off whose ways are all away.
	awayFor = 5 * time.Second
)

// load takes batches from the durable queue, when there is a signal or it is
// time to look, for as long as there is room and work.
func (d *Dispatcher) load() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looked, next time.Time
	for {
		timed := false
		select {
		case <-d.wake:
		case <-d.queue.hungry:
		case <-timer.C:
			timed = true
			d.tidy()
		case <-d.loading.Done():
			return
		}
		away := d.queue.alive() == 0
		if !away {
			for d.loading.Err() == nil && d.fill() {
			}
		} else if time.Since(looked) >= d.looks.idle {
			looked = time.Now()
			d.claim(sms.Bulk, fewWhileAway)
		}
		// Signals bring the next look forward, and never put it off.
		if soon := time.Now().Add(d.idle(away)); timed || soon.Before(next) {
			next = soon
			timer.Reset(time.Until(next))
		}
	}
}

// idle is how long there is nothing to do without a signal.
func (d *Dispatcher) idle(away bool) time.Duration {
	switch {
	case d.held.some():
		return d.looks.busy
	case away:
		return d.looks.idle
	}
	due, err := d.store.NextSend(d.loading)
	if err != nil || due.IsZero() {
		return d.looks.idle // an error is told by the next claim
	}
	if left := due.Sub(d.now()); left > 0 {
		return min(left, d.looks.idle)
	}
	return d.looks.busy // it came meanwhile, or another process is taking it
}

// tidy takes out of memory what has no business there.
func (d *Dispatcher) tidy() {
	over, stuck := d.queue.stir(d.queue.alive())
	for _, m := range over {
		d.expire(m)
	}
	for _, m := range stuck {
		d.putOff(m, d.now().Add(awayFor))
	}
}

// fill takes a few batches, of the priorities that there is room for; it tells
// whether there may be more.
func (d *Dispatcher) fill() bool {
	room := mostAtOnce
	for p := range priorities {
		room = min(room, d.queue.room(p))
		if p == int(sms.Bulk) {
			room = min(room, d.queue.room(p)/mostOf)
		}
		if room <= 0 {
			return d.lookPast(p)
		}
		if p > int(sms.Urgent) && d.claim(sms.Priority(p), room) == room {
			return true
		}
	}
	return false
}

// claim takes at most n batches of a priority up to most, and gives how many
// there were.
func (d *Dispatcher) claim(most sms.Priority, n int) int {
	from := d.now()
	jobs, err := d.store.ClaimSends(d.loading, d.holder, most, n, lease)
	if err != nil {
		d.complain("dispatch: no work can be taken from the queue", err)
		return 0
	}
	d.bring(jobs, from, 0)
	return len(jobs)
}

// bring reads batches that were claimed, and puts what there is to be sent of
// them into memory: of a way alone, or where it is 0 of all.
func (d *Dispatcher) bring(jobs []job.Job, from time.Time, only route) {
	if len(jobs) == 0 {
		return
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Ref
	}
	batches, err := d.store.Batches(d.storing, ids)
	if err != nil {
		d.complain("dispatch: batches cannot be read", err)
		d.release(ids)
		return
	}
	byID := make(map[int64]*sms.Batch, len(batches))
	for i := range batches {
		byID[batches[i].ID] = &batches[i]
	}
	for _, j := range jobs {
		d.take(j, byID[j.Ref], from, only)
	}
}

// complain writes of an error, but for the end of this process.
func (d *Dispatcher) complain(what string, err error) {
	if d.loading.Err() == nil {
		d.log.Fail(what, err)
	}
}

func (d *Dispatcher) release(ids []int64) {
	if err := d.store.RetryJobs(d.storing, job.Send, d.holder, ids, d.now().Add(time.Second)); err != nil {
		d.complain("dispatch: batches are not given back before their leases end", err)
	}
}

// take puts what is to be sent of a batch into memory.
func (d *Dispatcher) take(j job.Job, found *sms.Batch, from time.Time, only route) {
	var b *batch
	if found != nil {
		b = &batch{Batch: *found, job: j}
		b.extend(from)
	}
	all := b.unsent()
	switch {
	case len(all) == 0: // cancelled, or done by a process that could not say so
		if err := d.store.FinishJobs(d.storing, job.Send, []int64{j.Ref}); err != nil {
			d.complain("dispatch: a batch without work stays in the queue", err)
		}
		return
	case d.held.has(b.ID): // its lease ended while it waited here
		return
	}
	b.left = len(all)
	d.held.add(b)
	var ready []*message
	alive, open := d.queue.alive(), d.queue.readyWays()
	for i := range all {
		m := &all[i]
		m.route = d.queue.routes(m.Message)
		if j.Lapsed {
			m.again, m.unsure, m.Doubt = true, true, true
		}
		switch {
		case !d.begin(m, alive):
		case only != 0 && (m.route&open).first() != only:
			d.putOff(m, d.now()) // it waits in the queue, as if it had not been found
		default:
			ready = append(ready, m)
		}
	}
	d.queue.put(ready)
}

// unsent are the messages of a batch that are still to be sent.
func (b *batch) unsent() []message {
	if b == nil {
		return nil
	}
	all := make([]message, 0, len(b.Messages))
	for i := range b.Messages {
		if b.Messages[i].State == sms.Queued {
			all = append(all, message{Message: &b.Messages[i], batch: b, unsure: b.Messages[i].Doubt, again: b.Messages[i].Doubt})
		}
	}
	return all
}

// begin tells whether a message can be sent; of one that cannot it says what
// becomes of it.
func (d *Dispatcher) begin(m *message, alive route) bool {
	switch {
	case m.unsure && m.batch.Once:
		d.settle(m, sms.Unknown)
	case !d.now().Before(m.batch.Expires):
		d.expire(m)
	case m.route&alive == 0:
		d.putOff(m, d.now().Add(awayFor))
	default:
		return true
	}
	return false
}

var errLease = errors.New("the lease has ended")
