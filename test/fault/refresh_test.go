package fault_test

import (
	"fmt"
	"testing"
	"time"
)

// TestOneSuccessor is CON-5: many who spend one refresh token at once all get
// the same next one, and nobody's family is revoked for it.
func TestOneSuccessor(t *testing.T) {
	nodes(t, func(t *testing.T, s *site, nodes []*node) {
		must(t, oneSuccessor(t, nodes, sized(8, 200)))
		for _, n := range nodes {
			n.stop(t)
		}
		must(t, s.audit(t, nil))
	}, customer{balance: rich})
}

// TestOneSuccessorControl: a family that nobody remembers gives each its own.
func TestOneSuccessorControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, customer{balance: rich}).lacking(t, "forgetful")
	mustCatch(t, "successor", oneSuccessor(t, []*node{s.start(t)}, 2))
}

func oneSuccessor(t *testing.T, nodes []*node, rounds int) (problems []string) {
	t.Helper()
	const atOnce = 100
	callers := connected(t, nodes, atOnce)
	for round := range rounds {
		first, r := callers[0].login(t.Context(), 0)
		if !r.ok() {
			t.Fatalf("login: %v", r)
		}
		from := time.Now()
		got := make([]tokens, atOnce)
		next := map[string]int{}
		for i, r := range together(atOnce, func(i int) (r reply) {
			got[i], r = callers[i].refresh(t.Context(), 0, first.Refresh)
			return r
		}) {
			if next[got[i].Refresh]++; !r.ok() {
				problems = append(problems, fmt.Sprintf("round %d: caller %d after %v: %v", round, i, time.Since(from), r))
			}
		}
		if len(next) != 1 {
			problems = append(problems, fmt.Sprintf("round %d: %d different successors", round, len(next)))
		}
		problems = append(problems, goesOn(t, callers, first, got[0])...)
	}
	return problems
}

// goesOn spends the successor, and then the first token, which is a
// grandparent by now and takes all others with it.
func goesOn(t *testing.T, callers []*caller, first, second tokens) (problems []string) {
	t.Helper()
	third, r := callers[1].refresh(t.Context(), 0, second.Refresh)
	if !r.ok() {
		problems = append(problems, fmt.Sprintf("the successor: %v", r))
	}
	if _, r := callers[2].refresh(t.Context(), 0, first.Refresh); r.ok() {
		problems = append(problems, fmt.Sprintf("the first token after its successor was spent: %v", r))
	}
	if _, r := callers[3].refresh(t.Context(), 0, third.Refresh); r.ok() {
		problems = append(problems, fmt.Sprintf("the last token of a revoked family: %v", r))
	}
	return problems
}
