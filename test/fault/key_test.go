package fault_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestOneKey is CON-3: however often a call is made under one key, it is
// charged once and answered the same.
func TestOneKey(t *testing.T) {
	nodes(t, func(t *testing.T, s *site, nodes []*node) {
		must(t, s.oneKey(t, nodes, sized(2, 50)))
	}, riches(2)...)
}

// TestOneKeyControl: keys that nothing is kept under.
func TestOneKeyControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, riches(2)...).lacking(t, "keyless")
	mustCatch(t, "charges", s.oneKey(t, []*node{s.start(t)}, 1))
}

func (s *site) oneKey(t *testing.T, nodes []*node, rounds int) (problems []string) {
	t.Helper()
	const atOnce = 100
	callers := connected(t, nodes, atOnce)
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	first := map[int]reply{}
	for round := range rounds {
		key, who := fmt.Sprintf("key-%d", round), map[bool]int{false: round % people, true: settled}[round%2 == 1]
		for i, r := range together(atOnce, func(i int) reply { return callers[i].insist(t, 0, who, key) }) {
			if i == 0 {
				first[round] = r
			}
			if !r.ok() || string(r.body) != string(first[round].body) {
				problem("round %d: caller %d: %v, others %v", round, i, r, first[round])
			}
		}
		if r := callers[1].inquire(t.Context(), 0, (round+1)%people, key); r.status != http.StatusUnprocessableEntity {
			problem("round %d: another question under the key: %v, want 422", round, r)
		}
		if r := callers[2].inquire(t.Context(), 1, (round+1)%people, key); !r.ok() {
			problem("round %d: the same key of another customer: %v", round, r)
		}
	}
	for _, n := range nodes {
		n.kill(t)
		n.start(t)
		n.ready(t)
	}
	for round, was := range first {
		who := map[bool]int{false: round % people, true: settled}[round%2 == 1]
		r := callers[round%atOnce].fresh().inquire(t.Context(), 0, who, fmt.Sprintf("key-%d", round))
		if !r.ok() || string(r.body) != string(was.body) || r.header.Get("Idempotency-Replayed") != "true" {
			problem("round %d: after a kill: %v, before it %v", round, r, was)
		}
	}
	for _, n := range nodes {
		n.stop(t)
	}
	b := s.readBooks(t)
	for account := range 2 {
		if paid := b.paid(account); paid != rounds {
			problem("account %d: %d charges for %d keys", account, paid, rounds)
		}
	}
	return append(problems, s.audit(t, nil)...)
}

// insist calls until the key is not in flight any more.
func (c *caller) insist(t *testing.T, account, person int, key string) reply {
	for from, tick := time.Now(), time.Tick(20*time.Millisecond); ; {
		r := c.inquire(t.Context(), account, person, key)
		if r.status != http.StatusConflict || time.Since(from) > patience {
			return r
		}
		<-tick
	}
}

// fresh is the same caller on a new connection.
func (c *caller) fresh() *caller {
	c.close()
	return c
}
