package dispatch

import (
	"time"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
)

// place is a way and a priority.
type place struct {
	way      route
	priority int
}

// look is how far the durable queue was looked through, where memory is full of
// what other ways are to send: each batch is read once for that, and stays where
// it is unless it has something for the way.
type look struct {
	at    job.Job // the last one that this look has seen
	sure  job.Job // nothing for the way comes before it any more
	seen  map[int64]time.Time
	ended time.Time // zero while it goes on
}

// unsettled is how long after its moment a batch may still be on its way into
// the queue.
const unsettled = 2 * time.Second

// lookPast looks behind a priority that memory is full of, and those after it,
// for work of ways that have none; it tells whether there may be more.
func (d *Dispatcher) lookPast(p int) bool {
	for ; p < priorities; p++ {
		for _, w := range d.queue.ways {
			if room := d.queue.spare(w, p) / least(p); room > 0 && d.lookFor(w, p, room) {
				return true
			}
		}
	}
	return false
}

// lookFor looks at the next few batches of a priority and takes at most room of
// them: of each what w is to send.
func (d *Dispatcher) lookFor(w *way, p, room int) (more bool) {
	l := d.looked[place{w.bit, p}]
	if l == nil {
		start := job.Job{Priority: p}
		l = &look{at: start, sure: start, seen: map[int64]time.Time{}}
		d.looked[place{w.bit, p}] = l
	}
	if !l.ended.IsZero() && time.Since(l.ended) < d.looks.busy {
		return false
	}
	l.ended = time.Time{}
	due, found, err := d.due(l, mostAtOnce/least(p)+1)
	if err != nil {
		d.complain("dispatch: the queue cannot be looked through", err)
		return false
	}
	ready, fixed := d.queue.readyWays(), d.now().Add(-unsettled)
	var refs []int64
	for _, j := range due {
		if b := found[j.Ref]; b != nil && d.queue.has(b, ready, w) {
			if len(refs) == room {
				break
			}
			refs = append(refs, j.Ref)
		} else if j.Due.After(fixed) {
			l.seen[j.Ref] = j.Due
		}
		if l.at = j; !j.Due.After(fixed) {
			l.sure = j
		}
	}
	if len(refs) > 0 {
		d.claimThese(refs, p, w.bit)
		return true
	}
	if len(due) > 0 {
		return true
	}
	l.end()
	return false
}

// end begins anew behind what is sure.
func (l *look) end() {
	l.at, l.ended = l.sure, time.Now()
	for ref, due := range l.seen {
		if due.Before(l.sure.Due) {
			delete(l.seen, ref)
		}
	}
}

// due are the next n batches, and of these what is not known yet.
func (d *Dispatcher) due(l *look, n int) (due []job.Job, found map[int64]*sms.Batch, err error) {
	if due, err = d.store.DueSends(d.loading, l.at, n); err != nil {
		return nil, nil, err
	}
	var ids []int64
	for _, j := range due {
		if _, seen := l.seen[j.Ref]; !seen {
			ids = append(ids, j.Ref)
		}
	}
	batches, err := d.store.Batches(d.loading, ids)
	found = make(map[int64]*sms.Batch, len(batches))
	for i := range batches {
		found[batches[i].ID] = &batches[i]
	}
	return due, found, err
}

// claimThese takes those of some batches that nobody has taken meanwhile, and of
// them what is of a way alone, or where it is 0 all.
func (d *Dispatcher) claimThese(refs []int64, p int, only route) {
	from := d.now()
	jobs, err := d.store.ClaimThese(d.loading, d.holder, sms.Priority(p), refs, lease)
	if err != nil {
		d.complain("dispatch: no work can be taken from the queue", err)
		return
	}
	d.bring(jobs, from, only)
}

// has tells whether a batch has a message that goes to a way first.
func (q *queue) has(b *sms.Batch, ready route, w *way) bool {
	for i := range b.Messages {
		if m := &b.Messages[i]; m.State == sms.Queued && (q.routes(m)&ready).first() == w.bit {
			return true
		}
	}
	return false
}
