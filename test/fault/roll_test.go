package fault_test

import (
	"fmt"
	"testing"
	"time"

	"dargah.dev/dargah/internal/throwaway"
)

// TestRollingRestart is TWO-5: nodes are restarted one after the other behind a
// balancer, and no call fails.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	must(t, newSharedSite(t, throwaway.Database(t), riches(4)...).rolled(t))
}

// TestRollingRestartControl: nodes that stop without a notice.
func TestRollingRestartControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSharedSite(t, throwaway.Database(t), riches(4)...).lacking(t, "abrupt")
	mustCatch(t, "failed", s.rolled(t))
}

func (s *site) rolled(t *testing.T) (problems []string) {
	t.Helper()
	all := []*node{s.start(t), s.start(t)}
	b := newBalancer(t, all...)
	l := pace(t, []string{b.address}, 10, 200*time.Millisecond)
	longest := time.Duration(0)
	for range sized(1, 3) {
		for _, n := range all {
			pause(t, sized(time.Second, 8*time.Second))
			longest = max(longest, n.stop(t))
			n.start(t)
			n.ready(t)
			pause(t, 5*lookEvery)
		}
	}
	pause(t, time.Second)
	l.stop()
	calls := l.between(time.Time{}, time.Time{})
	failed := 0
	for _, o := range calls {
		if !o.ok() {
			failed++
			problems = append(problems, fmt.Sprintf("%s failed at %v: %v", o.kind, o.at, o.reply))
		}
	}
	t.Logf("%d calls, %d failed; the longest stop took %v", len(calls), failed, longest)
	if longest > 30*time.Second {
		problems = append(problems, fmt.Sprintf("a node took %v to stop, promised are 30 s", longest))
	}
	for _, n := range all {
		n.stop(t)
	}
	return append(problems, s.audit(t, l.acks())...)
}
