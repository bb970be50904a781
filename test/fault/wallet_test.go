package fault_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestCreditForSome is CON-1: 500 callers want what there is credit for 100 of.
func TestCreditForSome(t *testing.T) {
	rounds := sized(2, 20)
	nodes(t, func(t *testing.T, s *site, nodes []*node) {
		must(t, s.creditForSome(t, nodes, rounds))
	}, credits(rounds)...)
}

// TestCreditForSomeControl: a wallet that is looked at and not taken from.
func TestCreditForSomeControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, credits(1)...).lacking(t, "unpaid")
	mustCatch(t, "want 100 answers", s.creditForSome(t, []*node{s.start(t)}, 1))
}

const (
	gated   = 500 // callers behind the gate
	covered = 100 // calls that a wallet covers
)

// credits are one wallet for each round, with a rest that is too little for a call.
func credits(rounds int) (all []customer) {
	for range rounds {
		all = append(all, customer{balance: covered*price + price - 1})
	}
	return all
}

func (s *site) creditForSome(t *testing.T, nodes []*node, rounds int) (problems []string) {
	t.Helper()
	callers := connected(t, nodes, gated)
	var acks []ack
	for round := range rounds {
		statuses := map[int]int{}
		for i, r := range together(gated, func(i int) reply { return callers[i].inquire(t.Context(), round, i%people, "") }) {
			if statuses[r.status]++; r.ok() {
				acks = append(acks, ack{r.id, round})
			} else if r.status != http.StatusPaymentRequired {
				problems = append(problems, fmt.Sprintf("round %d: caller %d: %v", round, i, r))
			}
		}
		if statuses[http.StatusOK] != covered || statuses[http.StatusPaymentRequired] != gated-covered {
			problems = append(problems, fmt.Sprintf("round %d: %v, want %d answers and %d refusals", round, statuses, covered, gated-covered))
		}
	}
	for _, n := range nodes {
		n.stop(t)
	}
	b := s.readBooks(t)
	for round := range rounds {
		outcomes := b.outcomes(round)
		if b.paid(round) != covered || b.balances[accountID(round)] != price-1 || outcomes["answered"] != covered || outcomes["credit"] != gated-covered {
			problems = append(problems, fmt.Sprintf("round %d: %d charges, balance %d, records %v", round, b.paid(round), b.balances[accountID(round)], outcomes))
		}
	}
	t.Logf("%d rounds, %d charges answered", rounds, len(acks))
	return append(problems, s.audit(t, acks)...)
}

// connected are callers of the nodes in turn, each with its connection open.
func connected(t *testing.T, nodes []*node, n int) []*caller {
	t.Helper()
	callers := make([]*caller, n)
	for i, r := range together(n, func(i int) reply {
		callers[i] = newCaller(nodes[i%len(nodes)].address)
		return callers[i].get(t.Context(), "/livez")
	}) {
		if !r.ok() {
			t.Fatalf("caller %d: %v", i, r)
		}
	}
	t.Cleanup(func() {
		for _, c := range callers {
			c.close()
		}
	})
	return callers
}

// together lets n do something at the same moment and gives what each got.
func together[T any](n int, do func(int) T) []T {
	results := make([]T, n)
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gate
			results[i] = do(i)
		})
	}
	close(gate)
	all.Wait()
	return results
}
