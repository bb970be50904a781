package fault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestKilledServer is DUR-1: what was answered survives a kill -9 of the
// server, once.
func TestKilledServer(t *testing.T) {
	engines(t, func(t *testing.T, s *site) {
		must(t, s.killed(t, sized(10, 50)))
	}, riches(8)...)
}

// TestKilledServerControl: an answer that leaves before its commit must show.
func TestKilledServerControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, riches(8)...)
	s.lacking(t, "early")
	mustCatch(t, "LOST: call", s.killed(t, 10))
}

// killed lets sixteen callers work on one node, kills it so often, and gives
// what the books say against what the callers were told.
func (s *site) killed(t *testing.T, kills int) (problems []string) {
	t.Helper()
	n := s.newNode(t)
	var regulars []*regular
	for i := range 16 {
		regulars = append(regulars, newRegular(i))
	}
	var starts []time.Duration
	for range kills {
		starts = append(starts, n.firstSuccess(t))
		over, end := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for _, r := range regulars {
			all.Go(func() { r.work(over, n.address) })
		}
		<-time.After(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		n.kill(t)
		end()
		all.Wait()
	}
	starts = append(starts, n.firstSuccess(t))
	var acks []ack
	for _, r := range regulars {
		r.recall(t.Context(), n.address)
		acks, problems = append(acks, r.acks...), append(problems, r.problems...)
	}
	n.stop(t)
	b := s.readBooks(t)
	for _, r := range regulars {
		if r.does == repeating && b.paid(r.account) != r.done {
			problems = append(problems, fmt.Sprintf("DOUBLE or LOST: %d keys were answered in the end, and %d calls paid", r.done, b.paid(r.account)))
		}
	}
	slices.Sort(starts)
	longest := starts[len(starts)-1]
	t.Logf("%d kills, %d charges answered; start to first success: median %v, longest %v", kills, len(acks), starts[len(starts)/2], longest)
	if limit := slack(2 * time.Second); longest > limit {
		problems = append(problems, fmt.Sprintf("start to first success took %v, promised are 2 s", longest))
	}
	if len(acks) < kills {
		problems = append(problems, fmt.Sprintf("only %d charges were answered in %d lives", len(acks), kills))
	}
	return append(problems, s.audit(t, acks)...)
}

// firstSuccess starts the node and gives how long it took until a charged call
// was answered. The call itself is paid by the last account.
func (n *node) firstSuccess(t *testing.T) time.Duration {
	t.Helper()
	from := time.Now()
	n.start(t)
	n.ready(t)
	c := newCaller(n.address)
	defer c.close()
	if r := c.inquire(t.Context(), 3, 0, ""); !r.ok() {
		t.Fatalf("the first call after a start: %v", r)
	}
	return time.Since(from)
}

// What a regular does.
type habit int

const (
	inquiring habit = iota // charged calls, each once
	sending                // messages, each once
	repeating              // charged calls with keys, each until it is answered
	rotating               // from refresh token to refresh token
)

// regular is a customer's program that comes back after each crash.
type regular struct {
	account, number int
	does            habit

	acks     []ack
	problems []string
	asked    int
	done     int // keys that were answered

	current string   // refresh token
	spent   []string // those before it, of the same family
	dead    []string // the last token of each family that was revoked
	left    time.Time
}

// newRegular makes the i-th of sixteen: five who inquire and three who send on
// four accounts, four who repeat on an account each, and four who rotate.
func newRegular(i int) *regular {
	r := &regular{account: i % 4, number: i}
	switch {
	case i >= 12:
		r.does = rotating
	case i >= 8:
		r.does, r.account = repeating, 4+i%4
	case i >= 5:
		r.does = sending
	}
	return r
}

// work calls until the server is gone.
func (r *regular) work(ctx context.Context, address string) {
	c := newCaller(address)
	defer c.close()
	step := map[habit]func(context.Context, *caller) bool{inquiring: r.inquire, sending: r.send, repeating: r.repeat, rotating: r.rotate}[r.does]
	r.recheck(ctx, c)
	for ctx.Err() == nil && step(ctx, c) {
	}
	r.left = time.Now()
}

// person is whom the regular asks about next: now and then somebody who is
// asked about outside.
func (r *regular) person() int {
	switch {
	case r.asked%7 == 3:
		return settled
	case r.asked%11 == 5:
		return unanswered
	case r.asked%23 == 11:
		return lingering
	}
	return r.asked % people
}

func (r *regular) inquire(ctx context.Context, c *caller) bool {
	r.asked++
	who := r.person()
	got := c.inquire(ctx, r.account, who, "")
	if got.err == nil && got.ok() != (who != unanswered) {
		r.problem("a charge while nothing was wrong: %v", got)
	}
	if got.ok() {
		r.acks = append(r.acks, ack{got.id, r.account})
	}
	return got.err == nil
}

func (r *regular) send(ctx context.Context, c *caller) bool {
	r.asked++
	got := c.send(ctx, r.account, r.number*1_000_000+r.asked, "")
	if got.ok() {
		r.acks = append(r.acks, ack{got.id, r.account})
	} else if got.err == nil {
		r.problem("a message while nothing was wrong: %v", got)
	}
	return got.err == nil
}

// repeat asks the same under the same key until there is an answer. A call that
// was outside when the server was killed keeps its key until its deadline.
func (r *regular) repeat(ctx context.Context, c *caller) bool {
	got := c.inquire(ctx, r.account, r.asked%people, fmt.Sprintf("key %d of %d", r.asked, r.number))
	switch {
	case got.err != nil:
		return false
	case !got.ok():
		r.problem("key %d: %v", r.asked, got)
	default:
		r.done++
		if got.header.Get("Idempotency-Replayed") == "" {
			r.acks = append(r.acks, ack{got.id, r.account})
		}
	}
	r.asked++
	return true
}

// rotate spends the refresh token, again if the answer did not come. In the
// fourth generation it shows the first one, so that the family is revoked.
func (r *regular) rotate(ctx context.Context, c *caller) bool {
	var next tokens
	var got reply
	switch {
	case r.current == "":
		next, got = c.login(ctx, r.account)
	case len(r.spent) == 3:
		return r.revoke(ctx, c)
	default:
		next, got = c.refresh(ctx, r.account, r.current)
	}
	if got.err != nil {
		return false
	}
	if !got.ok() {
		if time.Since(r.left) < 8*time.Second { // beyond it the token's grace is over
			r.problem("a refresh token that must be good: %v", got)
		}
		r.current, r.spent = "", nil
		return true
	}
	if r.current != "" {
		r.spent = append(r.spent, r.current)
	}
	r.current = next.Refresh
	return true
}

func (r *regular) revoke(ctx context.Context, c *caller) bool {
	_, got := c.refresh(ctx, r.account, r.spent[0])
	if got.err != nil {
		return false // revoked or not: the next life asks again
	}
	if got.status != http.StatusBadRequest {
		r.problem("LOST: a refresh token three generations old: %v", got)
	}
	r.dead = append(r.dead, r.current)
	r.current, r.spent = "", nil
	return true
}

// recheck shows the last token of families that were revoked in earlier lives.
func (r *regular) recheck(ctx context.Context, c *caller) {
	for _, token := range r.dead[max(0, len(r.dead)-5):] {
		_, got := c.refresh(ctx, r.account, token)
		if got.err == nil && got.status != http.StatusBadRequest {
			r.problem("LOST: the token of a revoked family: %v", got)
		}
	}
}

// recall comes back for the last time.
func (r *regular) recall(ctx context.Context, address string) {
	c := newCaller(address)
	defer c.close()
	r.recheck(ctx, c)
	if r.does == repeating && !r.repeat(ctx, c) {
		r.problem("the last key has no answer")
	}
}

func (r *regular) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf("caller %d: ", r.number)+fmt.Sprintf(format, args...))
}

func riches(n int) []customer { return slices.Repeat([]customer{{balance: rich}}, n) }
