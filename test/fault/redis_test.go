package fault_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"dargah.dev/dargah/internal/throwaway"
)

// TestRedisFails is FLT-5: Redis is slow, gone, emptied and started empty under
// load. Whoever may call goes on calling, what is revoked stays revoked, and no
// limit is lifted.
func TestRedisFails(t *testing.T) {
	t.Parallel()
	s := newSharedSite(t, throwaway.Database(t), redisCustomers()...)
	must(t, s.redisFails(t, sized(3*time.Second, 30*time.Second)))
}

// TestRedisFailsControl: a limit that is lifted while Redis cannot be asked.
func TestRedisFailsControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSharedSite(t, throwaway.Database(t), redisCustomers()...).lacking(t, "open")
	mustCatch(t, "accepted", s.redisFails(t, 8*time.Second))
}

// redisCustomers are four for the load, one with a rate, and one whose tokens
// are revoked.
func redisCustomers() []customer {
	return append(riches(4), customer{balance: rich, rate: limited}, customer{balance: rich})
}

func (s *site) redisFails(t *testing.T, phase time.Duration) (problems []string) {
	t.Helper()
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	server := throwaway.StartRedis(t)
	at, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	between := newProxy(t, at.Host)
	at.Host = between.address
	s.redis = at.String()
	p := pairOfNodes{s, s.start(t), s.start(t)}
	revoked := p.revokedToken(t, 5)
	l := pace(t, []string{p.a.address, p.b.address}, 10, 200*time.Millisecond)
	o := newOffer(t, 4, p.a, p.b)
	faults := []struct {
		name       string
		begin, end func()
	}{
		{"well", func() {}, func() {}},
		{"slow", func() { between.slow(time.Second) }, func() { between.slow(0) }},
		{"refused", between.refuse, func() { between.admit(t) }},
		{"flushed", func() { server.Flush(t) }, func() {}},
		{"killed", func() { server.Kill(t) }, func() { server.Start(t) }},
		{"well again", func() {}, func() {}},
	}
	for _, f := range faults {
		from := time.Now()
		f.begin()
		pause(t, phase)
		calls := l.between(from, time.Now().Add(-time.Second))
		for _, c := range calls {
			if !c.ok() {
				problem("Redis %s: %s: %v", f.name, c.kind, c.reply)
			}
		}
		for _, n := range []*node{p.a, p.b} {
			if status, err := n.look(t.Context(), "/readyz"); err != nil || status != http.StatusOK {
				problem("Redis %s: /readyz of %s: %d, %v", f.name, n.address, status, err)
			}
			c := newCaller(n.address)
			if r := c.report(t.Context(), revoked); r.status != http.StatusUnauthorized {
				problem("Redis %s: a revoked token at %s: %v", f.name, n.address, r)
			}
			c.close()
		}
		accepted, most := o.since(from), int(time.Since(from).Seconds()*limited)+2*limited
		if accepted > most || accepted < 1 {
			problem("Redis %s: %d accepted, promised are %d at most", f.name, accepted, most)
		}
		t.Logf("Redis %s: %d calls, p99 %v; %d of a limited account accepted", f.name, len(calls), percentile(calls, 99), accepted)
		f.end()
	}
	o.stop()
	l.stop()
	problems = append(problems, o.problems...)
	p.a.stop(t)
	p.b.stop(t)
	acks := l.acks()
	for _, id := range o.ids {
		acks = append(acks, ack{id, 4})
	}
	return append(problems, p.audit(t, acks)...)
}

// revokedToken is an access token of a family that was revoked at A, and that B
// knows as revoked.
func (p pairOfNodes) revokedToken(t *testing.T, account int) string {
	t.Helper()
	a, b := newCaller(p.a.address), newCaller(p.b.address)
	defer a.close()
	defer b.close()
	first, _ := a.login(t.Context(), account)
	second, _ := a.refresh(t.Context(), account, first.Refresh)
	third, _ := a.refresh(t.Context(), account, second.Refresh)
	if _, r := a.refresh(t.Context(), account, first.Refresh); r.status != http.StatusBadRequest {
		t.Fatalf("a grandparent: %v", r)
	}
	must(t, until(time.Now(), http.StatusUnauthorized, func() reply { return b.report(t.Context(), third.Access) }).problems)
	return third.Access
}
