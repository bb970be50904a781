package dispatch_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"dargah.dev/dargah/internal/dispatch"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
)

// by has all messages leave from a line; turns from lines by turns.
func by(lines ...string) func(*sms.Batch) {
	return func(b *sms.Batch) {
		for i := range b.Messages {
			b.Messages[i].Line = lines[i%len(lines)]
		}
	}
}

// TestASlowOperatorKeepsNobodyElse: what one operator cannot take fast enough
// fills the room in memory, and what goes to others passes it by, whatever its
// priority, also where both are in one batch.
func TestASlowOperatorKeepsNobodyElse(t *testing.T) {
	t.Parallel()
	const slowLine, fastLine = "30001234", "30005678"
	for name, c := range map[string]struct {
		crowd, passes, mixed func(*sms.Batch)
	}{
		"bulk behind bulk":     {bulk, bulk, nil},
		"bulk behind normal":   {normal, bulk, nil},
		"urgent behind urgent": {urgent, urgent, nil},
		"parts of one batch":   {bulk, bulk, by(slowLine, fastLine)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			gate := make(chan struct{})
			open := sync.OnceFunc(func() { close(gate) })
			slow, fast := operatorOf("slow", func(int, operator.Part) error { <-gate; return nil }), operatorOf("fast", nil)
			from := by(slowLine)
			if c.mixed != nil {
				from = c.mixed
			}
			var crowd []int64
			for range 10 {
				crowd = append(crowd, r.sends(100, c.crowd, free, from))
			}
			d := r.made(r.store, dispatch.Way{Operator: slow, Lines: []string{slowLine}}, dispatch.Way{Operator: fast, Lines: []string{fastLine}})
			d.Room(400)
			d.Start()
			t.Cleanup(func() { r.drain(d) })
			t.Cleanup(open)
			r.eventually("all work of the slow one is under way", func() bool { return len(slow.parts()) == slow.window })
			passes := r.sends(250, c.passes, free, by(fastLine))
			r.settled(sms.Submitted, passes)
			if c.mixed != nil {
				r.eventually("the other halves are sent", func() bool { return len(fast.parts()) == 250+10*50 })
			}
			if n := d.Waiting(sms.Bulk); n > 500 {
				t.Errorf("%d messages wait in memory", n)
			}
			open()
			r.settled(sms.Submitted, crowd...)
			for _, o := range []*scripted{slow, fast} {
				for spot, n := range o.accepted {
					if n != 1 {
						t.Errorf("%s was sent %d times", spot, n)
					}
				}
			}
		})
	}
}

// looker counts how often the queue is looked through.
type looker struct {
	*store.Store
	looks atomic.Int64
}

func (l *looker) DueSends(ctx context.Context, after job.Job, n int) ([]job.Job, error) {
	l.looks.Add(1)
	return l.Store.DueSends(ctx, after, n)
}

// TestNothingToLookFor: what waits is not read for a way that could never be the
// first for any of it.
func TestNothingToLookFor(t *testing.T) {
	t.Parallel()
	way := func(lines, prefixes []string) dispatch.Way { return dispatch.Way{Lines: lines, Prefixes: prefixes} }
	for i, c := range []struct {
		first, second dispatch.Way
		looks         bool
	}{
		{way(nil, nil), way(nil, nil), false},
		{way(nil, nil), way([]string{"3000"}, []string{"0912"}), false},
		{way(nil, []string{"0912"}), way(nil, []string{"09121", "09123"}), false},
		{way(nil, []string{"0912"}), way(nil, []string{"09121", "0935"}), true},
		{way([]string{"30001234"}, nil), way(nil, nil), true},
	} {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			gate := make(chan struct{})
			slow, other := operatorOf("slow", func(int, operator.Part) error { <-gate; return nil }), operatorOf("other", nil)
			c.first.Operator, c.second.Operator = slow, other
			for range 6 {
				r.sends(100, bulk, free, to("09120000000"), by("30001234"))
			}
			l := &looker{Store: r.store}
			d := r.made(l, c.first, c.second)
			d.Room(400)
			d.Start()
			t.Cleanup(func() { r.drain(d) })
			open := sync.OnceFunc(func() { close(gate) })
			t.Cleanup(open)
			r.eventually("it is full", func() bool { return len(slow.parts()) == slow.window && d.Waiting(sms.Bulk) > 300 })
			urgent := r.sends(1, urgent, to("09120000000"), by("30001234"))
			r.eventually("the urgent one is in memory", func() bool { return d.Waiting(sms.Urgent) == 1 })
			if c.looks {
				r.eventually("the queue is looked through", func() bool { return l.looks.Load() > 0 })
			} else if n := l.looks.Load(); n > 0 {
				t.Errorf("looked through %d times", n)
			}
			open()
			r.settled(sms.Submitted, urgent)
		})
	}
}

// to sends all messages to one number.
func to(number string) func(*sms.Batch) {
	return func(b *sms.Batch) {
		for i := range b.Messages {
			b.Messages[i].Recipient, _ = persian.ParseMobile(number)
		}
	}
}
