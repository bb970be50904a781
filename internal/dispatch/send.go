package dispatch

import (
	"errors"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
)

// work sends one message after the other over a way.
func (d *Dispatcher) work(w *way) {
	for {
		m := d.queue.next(w)
		if m == nil {
			return
		}
		d.send(w, m)
	}
}

// send hands over what of the message no operator has accepted yet.
func (d *Dispatcher) send(w *way, m *message) {
	now := d.now()
	switch {
	case !now.Before(m.batch.Expires):
		d.expire(m)
		return
	case !m.batch.ours(now):
		d.abandon(m)
		return
	case m.parts == nil:
		m.coding, m.parts = sms.Split(m.Text)
	}
	for len(m.accepted) < len(m.parts) {
		id, err := w.Operator.Submit(d.sending, m.part())
		if err != nil {
			d.refused(w, m, err)
			return
		}
		if m.accepted == nil {
			m.accepted, m.way = make([]sms.PartResult, 0, len(m.parts)), w
			d.queue.worked(w)
		}
		m.accepted = append(m.accepted, sms.PartResult{Place: len(m.accepted) + 1, ID: id})
		m.again = false
	}
	d.settle(m, sms.Submitted)
}

// refused decides what comes of a part that was not accepted.
func (d *Dispatcher) refused(w *way, m *message, err error) {
	var rejected *operator.Rejected
	switch {
	case errors.Is(err, operator.ErrThrottled): // the operator itself sees to the pause
		d.queue.back(m)
	case errors.Is(err, operator.ErrUnsent):
		d.queue.failed(w)
		d.queue.back(m)
	case errors.As(err, &rejected) && !rejected.Temporary:
		m.route &^= w.bit
		d.elsewhere(w, m)
	case errors.As(err, &rejected):
		m.deferred |= w.bit
		d.elsewhere(w, m)
	case m.batch.Once:
		m.unsure = true
		m.Operator = w.Operator.Name()
		d.settle(m, sms.Unknown)
	default:
		// Doubt; and what an operator says in words of its own is no less.
		m.unsure, m.again, m.Doubt = true, true, true
		if !errors.Is(err, operator.ErrDoubt) {
			d.queue.failed(w)
		}
		d.queue.back(m)
	}
}

// elsewhere looks for another way after w has refused a message.
func (d *Dispatcher) elsewhere(w *way, m *message) {
	switch {
	case m.way != nil && m.route&w.bit == 0:
		d.settle(m, sms.Rejected) // other parts of it were accepted
	case m.route == 0 && m.unsure:
		d.settle(m, sms.Unknown)
	case m.route == 0:
		d.settle(m, sms.Failed)
	case m.way != nil:
		m.after = d.now().Add(backoff(m.batch.job.Attempt))
		m.deferred = 0
		d.queue.back(m)
	case m.open() == 0:
		d.putOff(m, d.now().Add(backoff(m.batch.job.Attempt)))
	default:
		d.queue.back(m)
	}
}

// The pauses before a message is tried again that every way refused for now.
const (
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

func backoff(attempt int) time.Duration {
	return min(firstBackoff<<min(max(attempt-1, 0), 10), lastBackoff)
}

// expire settles a message that is worth nothing any more: nothing of it will
// be sent.
func (d *Dispatcher) expire(m *message) {
	switch {
	case m.way != nil:
		d.settle(m, sms.Expired)
	case m.unsure:
		d.settle(m, sms.Unknown)
	default:
		d.settle(m, sms.Failed)
	}
}
