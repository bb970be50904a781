package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// observed is one call of a load.
type observed struct {
	reply
	kind    string
	account int
	at      time.Time // of its beginning
	key     string
}

// load is callers who call at a steady pace, whatever becomes of it.
type load struct {
	over context.CancelFunc
	all  sync.WaitGroup

	mu    sync.Mutex
	calls []observed
}

// kinds of calls in a load, in turn.
var kinds = []string{"inquiry", "keyed", "token", "report", "settled"}

// pace starts callers who each call so often, over all kinds, on accounts 0 to
// 3. Each has a token that is good for the whole load.
func pace(t testing.TB, addresses []string, callers int, every time.Duration) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{over: cancel}
	t.Cleanup(l.stop)
	for i := range callers {
		c := newCaller(addresses[i%len(addresses)])
		token, r := c.login(ctx, i%4)
		if !r.ok() {
			t.Fatalf("login before the load: %v", r)
		}
		l.all.Go(func() {
			defer c.close()
			tick := time.NewTicker(every)
			defer tick.Stop()
			for n := i; ; n++ {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
				l.call(c, token, i, n)
			}
		})
	}
	return l
}

// call makes a caller's n-th call; the load's end does not cut it short.
func (l *load) call(c *caller, token tokens, i, n int) {
	o := observed{kind: kinds[n%len(kinds)], account: i % 4, at: time.Now()}
	ctx := context.Background()
	switch o.kind {
	case "inquiry":
		o.reply = c.inquire(ctx, o.account, n%people, "")
	case "keyed":
		o.key = fmt.Sprintf("%d of %d", n, i)
		o.reply = c.inquire(ctx, o.account, n%people, o.key)
	case "settled":
		o.reply = c.inquire(ctx, o.account, settled, "")
	case "token":
		_, o.reply = c.login(ctx, o.account)
	default:
		o.reply = c.report(ctx, token.Access)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, o)
}

// stop ends the load when the last call has its answer.
func (l *load) stop() {
	l.over()
	l.all.Wait()
}

// since gives the calls that began between two moments; the zero time is no
// bound.
func (l *load) between(from, to time.Time) []observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []observed
	for _, o := range l.calls {
		if o.at.After(from) && (to.IsZero() || o.at.Before(to)) {
			found = append(found, o)
		}
	}
	return found
}

// acks are the charges that were answered, but for replays.
func (l *load) acks() (all []ack) {
	for _, o := range l.between(time.Time{}, time.Time{}) {
		if o.ok() && (o.kind == "inquiry" || o.kind == "keyed" || o.kind == "settled") && o.header.Get("Idempotency-Replayed") == "" {
			all = append(all, ack{o.id, o.account})
		}
	}
	return all
}

// honest lists the answers that a fault of ours must never give: anything but
// success or a 503 that says when to come back.
func honest(calls []observed) (problems []string) {
	for _, o := range calls {
		switch {
		case o.ok():
		case o.err != nil:
			problems = append(problems, fmt.Sprintf("%s: no answer: %v", o.kind, o.reply))
		case o.status != http.StatusServiceUnavailable:
			problems = append(problems, fmt.Sprintf("%s: a fault of ours is told as %v", o.kind, o.reply))
		case o.header.Get("Retry-After") == "":
			problems = append(problems, fmt.Sprintf("%s: a 503 without Retry-After", o.kind))
		}
	}
	return problems
}

// firstOK is the first moment at which a call was answered well.
func firstOK(calls []observed) (first time.Time) {
	for _, o := range calls {
		if end := o.at.Add(o.took); o.ok() && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}

func succeeded(calls []observed) (n int) {
	for _, o := range calls {
		if o.ok() {
			n++
		}
	}
	return n
}

// percentile of how long calls took, from 0 to 100; 100 is the longest.
func percentile(calls []observed, p int) time.Duration {
	if len(calls) == 0 {
		return 0
	}
	var took []time.Duration
	for _, o := range calls {
		took = append(took, o.took)
	}
	slices.Sort(took)
	return took[min(len(took)*p/100, len(took)-1)]
}

// pause lets a load go on for a while.
func pause(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.FailNow()
	}
}

// settleKeys repeats each keyed call that had no answer until it has one, and
// gives the acks of those that were charged now.
func (l *load) settleKeys(t *testing.T, address string) (acks []ack, problems []string) {
	t.Helper()
	c := newCaller(address)
	defer c.close()
	for _, o := range l.between(time.Time{}, time.Time{}) {
		if o.kind != "keyed" || o.ok() {
			continue
		}
		var n, i int
		if _, err := fmt.Sscanf(o.key, "%d of %d", &n, &i); err != nil {
			t.Fatal(err)
		}
		r := c.insist(t, o.account, n%people, o.key)
		switch {
		case !r.ok():
			problems = append(problems, fmt.Sprintf("key %q repeated when all was well: %v", o.key, r))
		case r.header.Get("Idempotency-Replayed") == "":
			acks = append(acks, ack{r.id, o.account})
		}
	}
	return acks, problems
}
