package dispatch_test

import (
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
)

// A dispatcher that never looks of its own accord sends what there is all the
// same: what is committed, what has its time, what waited for a way, for a rest
// to end, or for another's way to go.
func TestWokenBySignals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := operatorOf("a", func(n int, _ operator.Part) error {
		if n%3 == 1 {
			return operator.ErrUnsent
		}
		return nil
	})
	second := operatorOf("b", nil)
	d := r.made(r.store, over(first, second)...)
	d.OnlySignals()
	d.Start()
	t.Cleanup(func() { r.drain(d) })
	later := r.sends(1, func(b *sms.Batch) { b.Due = b.Due.Add(time.Second) })
	r.settled(sms.Submitted, r.sends(9))
	r.settled(sms.Submitted, later)
	for range 10 {
		first.turn(false)
		second.turn(false)
		waits := r.sends(2)
		r.eventually("it waits", func() bool { return d.Waiting(sms.Normal) == 2 })
		second.turn(true)
		r.settled(sms.Submitted, waits)
		first.turn(true)
	}
	r.settled(sms.Submitted, r.sends(9))
}

// A batch whose operator goes while all its places are taken has the next way's.
func TestWokenByAWayThatGoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gate := make(chan struct{})
	first, second := operatorOf("a", func(int, operator.Part) error { <-gate; return nil }), operatorOf("b", nil)
	d := r.made(r.store, over(first, second)...)
	d.OnlySignals()
	d.Start()
	t.Cleanup(func() { r.drain(d) })
	open := sync.OnceFunc(func() { close(gate) })
	t.Cleanup(open)
	id := r.sends(20)
	r.eventually("the first is full", func() bool { return len(first.parts()) == first.window })
	first.turn(false)
	r.eventually("the other takes the rest", func() bool { return len(second.parts()) == 20-first.window })
	open()
	r.settled(sms.Submitted, id)
}
