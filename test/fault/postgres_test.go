package fault_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dargah.dev/dargah/internal/throwaway"
)

// TestDatabaseDown is FLT-1: PostgreSQL is stopped under load, and started.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	server := throwaway.StartPostgres(t)
	must(t, newSharedSite(t, server.Database(t), riches(4)...).databaseDown(t, server))
}

// TestDatabaseDownControl: answers that leave though they could not be written
// down.
func TestDatabaseDownControl(t *testing.T) {
	t.Parallel()
	control(t)
	server := throwaway.StartPostgres(t)
	s := newSharedSite(t, server.Database(t), riches(4)...).lacking(t, "boastful")
	mustCatch(t, "LOST: call", s.databaseDown(t, server))
}

func (s *site) databaseDown(t *testing.T, server *throwaway.Postgres) (problems []string) {
	t.Helper()
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	n := s.start(t)
	l := pace(t, []string{n.address}, 10, 200*time.Millisecond)
	pause(t, time.Second)

	stopped := time.Now()
	server.Stop(t)
	n.until(t, "/readyz", http.StatusServiceUnavailable)
	if status, err := n.look(t.Context(), "/livez"); err != nil || status != http.StatusOK {
		problem("/livez while the database is down: %d, %v", status, err)
	}
	pause(t, sized(5*time.Second, 30*time.Second))
	server.Start(t)
	started := time.Now()
	n.ready(t)
	pause(t, 2*time.Second)
	l.stop()

	down := l.between(stopped, started)
	back := firstOK(l.between(started, time.Time{})).Sub(started)
	t.Logf("%d calls while it was down, longest %v; first success %v after the start", len(down), percentile(down, 100), back)
	problems = append(problems, honest(l.between(time.Time{}, time.Time{}))...)
	if longest := percentile(down, 100); longest > 3*time.Second {
		problem("a call took %v, promised is an end within 3 s", longest)
	}
	if back < 0 || back > slack(2*time.Second) {
		problem("the first success came %v after the start, promised are 2 s", back)
	}
	acks, unsettled := l.settleKeys(t, n.address)
	n.stop(t)
	return append(append(problems, unsettled...), s.audit(t, append(acks, l.acks()...))...)
}

// TestDatabaseSlow is FLT-2: every answer of PostgreSQL comes five seconds late.
func TestDatabaseSlow(t *testing.T) {
	t.Parallel()
	s, p := newProxiedSite(t)
	must(t, s.databaseSlow(t, p))
}

// TestDatabaseSlowControl: waits for the database that nothing bounds.
func TestDatabaseSlowControl(t *testing.T) {
	t.Parallel()
	control(t)
	s, p := newProxiedSite(t)
	s.lacking(t, "patient")
	mustCatch(t, "p99", s.databaseSlow(t, p))
}

func (s *site) databaseSlow(t *testing.T, p *proxy) (problems []string) {
	t.Helper()
	n := s.start(t)
	l := pace(t, []string{n.address}, 20, 200*time.Millisecond)
	pause(t, time.Second)
	slowed := time.Now()
	p.slow(5 * time.Second)
	pause(t, sized(6*time.Second, 30*time.Second))
	healed := time.Now()
	p.slow(0)
	n.ready(t)
	pause(t, 6*time.Second)
	l.stop()

	slow := l.between(slowed, healed)
	back := firstOK(l.between(healed, time.Time{})).Sub(healed)
	p99 := percentile(slow, 99)
	t.Logf("%d calls while it was slow, p99 %v, longest %v; first success %v afterwards", len(slow), p99, percentile(slow, 100), back)
	for _, kind := range kinds {
		of := slices.DeleteFunc(slices.Clone(slow), func(o observed) bool { return o.kind != kind })
		t.Logf("%s: %d calls, p99 %v, longest %v", kind, len(of), percentile(of, 99), percentile(of, 100))
	}
	problems = honest(l.between(time.Time{}, time.Time{}))
	if p99 > 2500*time.Millisecond+slack(250*time.Millisecond) {
		problems = append(problems, fmt.Sprintf("p99 is %v, promised are 2.5 s", p99))
	}
	if back < 0 || back > 5*time.Second+slack(time.Second) {
		problems = append(problems, fmt.Sprintf("the first success came %v after the database was quick again, promised are 5 s", back))
	}
	acks, unsettled := l.settleKeys(t, n.address)
	n.stop(t)
	return append(append(problems, unsettled...), s.audit(t, append(acks, l.acks()...))...)
}

// TestSlowDatabaseHoldsNothing is the rest of FLT-2: what waits for a slow
// database is bounded.
func TestSlowDatabaseHoldsNothing(t *testing.T) {
	t.Parallel()
	s, p := newProxiedSite(t)
	must(t, s.holdsNothing(t, p))
}

// TestSlowDatabaseHoldsNothingControl: a call that is let go leaves a goroutine
// behind, which waits for what will become of it.
func TestSlowDatabaseHoldsNothingControl(t *testing.T) {
	t.Parallel()
	control(t)
	s, p := newProxiedSite(t)
	s.lacking(t, "waiting")
	mustCatch(t, "goroutines", s.holdsNothing(t, p))
}

func (s *site) holdsNothing(t *testing.T, p *proxy) (problems []string) {
	t.Helper()
	n := s.start(t)
	l := pace(t, []string{n.address}, 50, 100*time.Millisecond)
	pause(t, 2*time.Second)
	before := n.goroutines(t)
	l.stop()
	n.start(t)
	n.ready(t)
	l = pace(t, []string{n.address}, 50, 100*time.Millisecond)
	p.slow(5 * time.Second)
	pause(t, sized(4*time.Second, 20*time.Second))
	during := n.goroutines(t)
	l.stop()
	t.Logf("%d goroutines under load, %d with a slow database", before, during)
	if during > 2*before {
		problems = append(problems, fmt.Sprintf("%d goroutines with a slow database, %d without; promised is twice as many at most", during, before))
	}
	return problems
}

// TestConnectionsReset is FLT-4: all connections to PostgreSQL break again and
// again, in whatever they are doing.
func TestConnectionsReset(t *testing.T) {
	t.Parallel()
	s, p := newProxiedSite(t)
	must(t, s.connectionsReset(t, p))
}

// TestConnectionsResetControl: a committer that never connects again.
func TestConnectionsResetControl(t *testing.T) {
	t.Parallel()
	control(t)
	s, p := newProxiedSite(t)
	s.lacking(t, "unconnected")
	mustCatch(t, "calls failed", s.connectionsReset(t, p))
}

func (s *site) connectionsReset(t *testing.T, p *proxy) (problems []string) {
	t.Helper()
	n := s.start(t)
	l := pace(t, []string{n.address}, 20, 100*time.Millisecond)
	for range sized(3, 12) {
		pause(t, sized(2*time.Second, 5*time.Second))
		p.reset()
	}
	pause(t, time.Second)
	l.stop()
	calls := l.between(time.Time{}, time.Time{})
	failed := len(calls) - succeeded(calls)
	t.Logf("%d of %d calls failed, longest %v", failed, len(calls), percentile(calls, 100))
	problems = honest(calls)
	if failed*100 > 5*len(calls) {
		return append(problems, fmt.Sprintf("%d of %d calls failed, promised are 5 of 100 at most", failed, len(calls)))
	}
	acks, unsettled := l.settleKeys(t, n.address)
	n.stop(t)
	return append(append(problems, unsettled...), s.audit(t, append(acks, l.acks()...))...)
}

// newProxiedSite makes an installation whose nodes reach PostgreSQL through a
// proxy.
func newProxiedSite(t *testing.T) (*site, *proxy) {
	t.Helper()
	s := newSharedSite(t, throwaway.Database(t), riches(4)...)
	s.direct = s.database
	direct, err := url.Parse(s.database)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, direct.Host)
	direct.Host = p.address
	s.database = direct.String()
	return s, p
}

// goroutines ends the node with a dump of them, and counts.
func (n *node) goroutines(t testing.TB) (count int) {
	t.Helper()
	l := n.now()
	n.signal(t, syscall.SIGQUIT)
	<-l.exited
	count = strings.Count(l.output.String(), "\ngoroutine ")
	if count == 0 {
		t.Fatalf("no dump: %.500s", &l.output)
	}
	l.output.Reset()
	return count
}
