package fault_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/throwaway"
)

// pair is two nodes of one installation, with or without Redis.
type pairOfNodes struct {
	*site
	a, b *node
}

// newPair starts two nodes. Without redis it is "".
func newPair(t *testing.T, redis string, customers ...customer) pairOfNodes {
	t.Helper()
	s := newSharedSite(t, throwaway.Database(t), customers...)
	s.redis = redis
	return pairOfNodes{s, s.start(t), s.start(t)}
}

// spreads runs a test with Redis, and without it; within is how long news may
// take, at p99 and at most.
func spreads(t *testing.T, test func(t *testing.T, p pairOfNodes, p99, most time.Duration), customers ...customer) {
	t.Helper()
	t.Run("with Redis", func(t *testing.T) {
		t.Parallel()
		test(t, newPair(t, throwaway.StartRedis(t).URL(), customers...), time.Second, 2*time.Second)
	})
	t.Run("without Redis", func(t *testing.T) {
		t.Parallel()
		test(t, newPair(t, "", customers...), 5*time.Second, 5*time.Second)
	})
}

// TestRevocationSpreads is TWO-2: a family that is revoked on one node is dead
// on the other.
func TestRevocationSpreads(t *testing.T) {
	spreads(t, func(t *testing.T, p pairOfNodes, p99, most time.Duration) {
		must(t, p.revocations(t, sized(10, 200), p99, most))
	}, riches(1)...)
}

// TestRevocationSpreadsControl: nodes that do not look for what others changed.
func TestRevocationSpreadsControl(t *testing.T) {
	t.Parallel()
	control(t)
	mustCatch(t, "promised", newDeafPair(t, riches(1)...).revocations(t, 2, time.Second, 2*time.Second))
}

func newDeafPair(t *testing.T, customers ...customer) pairOfNodes {
	t.Helper()
	s := newSharedSite(t, throwaway.Database(t), customers...).lacking(t, "deaf")
	s.redis = throwaway.StartRedis(t).URL()
	return pairOfNodes{s, s.start(t), s.start(t)}
}

func (p pairOfNodes) revocations(t *testing.T, n int, p99, most time.Duration) (problems []string) {
	t.Helper()
	var took []time.Duration
	for _, one := range together(n, func(int) spread { return p.revoke(t) }) {
		problems, took = append(problems, one.problems...), append(took, one.took)
	}
	return append(problems, within(t, took, p99, most)...)
}

// spread is how long news took from one node to the other.
type spread struct {
	took     time.Duration
	problems []string
}

// revoke shows a spent refresh token at A, and an access token of its family at
// B until that is refused.
func (p pairOfNodes) revoke(t *testing.T) spread {
	ctx := t.Context()
	a, b := newCaller(p.a.address), newCaller(p.b.address)
	defer a.close()
	defer b.close()
	first, _ := a.login(ctx, 0)
	second, _ := a.refresh(ctx, 0, first.Refresh)
	third, r := a.refresh(ctx, 0, second.Refresh)
	if !r.ok() {
		return spread{problems: []string{fmt.Sprintf("a refresh at A: %v", r)}}
	}
	if r := b.report(ctx, third.Access); !r.ok() {
		return spread{problems: []string{fmt.Sprintf("a good token at B: %v", r)}}
	}
	if _, r := a.refresh(ctx, 0, first.Refresh); r.status != http.StatusBadRequest {
		return spread{problems: []string{fmt.Sprintf("a grandparent at A: %v", r)}}
	}
	return until(time.Now(), http.StatusUnauthorized, func() reply { return b.report(ctx, third.Access) })
}

// until calls twenty times a second until the status comes, which then must stay.
func until(from time.Time, status int, call func() reply) (s spread) {
	for tick := time.Tick(50 * time.Millisecond); time.Since(from) < patience; <-tick {
		r := call()
		if r.status == status {
			break
		}
		if !r.ok() {
			return spread{problems: []string{fmt.Sprintf("waiting for %d: %v", status, r)}}
		}
	}
	s.took = time.Since(from)
	for range 3 {
		if r := call(); r.status != status {
			s.problems = append(s.problems, fmt.Sprintf("after it was refused with %d once: %v", status, r))
		}
	}
	return s
}

func within(t *testing.T, took []time.Duration, p99, most time.Duration) []string {
	t.Helper()
	slices.Sort(took)
	n := len(took)
	t.Logf("%d times: median %v, p99 %v, longest %v", n, took[n/2], took[n*99/100], took[n-1])
	if took[n*99/100] > slack(p99) || took[n-1] > slack(most) {
		return []string{fmt.Sprintf("it took %v at p99 and %v at most, promised are %v and %v", took[n*99/100], took[n-1], p99, most)}
	}
	return nil
}

// change is something that a command does to an account, and a call that it
// forbids.
type change struct {
	name   string
	do     func(*store.Change, int) error
	call   func(c *caller, i int, token tokens) reply
	status int
}

func inquiry(c *caller, i int, _ tokens) reply { return c.inquire(context.Background(), i, 0, "") }
func report(c *caller, _ int, token tokens) reply {
	return c.report(context.Background(), token.Access)
}
func login(c *caller, i int, _ tokens) reply {
	_, r := c.login(context.Background(), i)
	return r
}

func setting(edit func(*account.Account)) func(*store.Change, int) error {
	return func(c *store.Change, i int) error {
		return c.SetAccount(accountID(i), func(a *account.Account) error {
			edit(a)
			return nil
		})
	}
}

// sharedGate hashes the passwords that tests set.
var sharedGate = password.New(password.Cost{Memory: 64, Time: 1})

var changes = []change{
	{"disable the account", setting(func(a *account.Account) { a.Disabled = true }), inquiry, http.StatusForbidden},
	{"disable it for tokens", setting(func(a *account.Account) { a.Disabled = true }), report, http.StatusUnauthorized},
	{"take a permission", setting(func(a *account.Account) { a.Grants = account.NewGrants([]string{"credit"}) }), inquiry, http.StatusForbidden},
	{"set the addresses", setting(func(a *account.Account) {
		a.Allowed = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	}), inquiry, http.StatusForbidden},
	{"set the password", setting(func(a *account.Account) { a.Password = sharedGate.Hash("Another-Passw0rd") }), login, http.StatusBadRequest},
	{"tokens after a new password", setting(func(a *account.Account) { a.Password, a.Epoch = sharedGate.Hash("Another-Passw0rd"), a.Epoch+1 }), report, http.StatusUnauthorized},
	{"remove the line", func(c *store.Change, i int) error { return c.RemoveLine(lineOf(i)) }, smsLogin, 0},
	{"remove the client", func(c *store.Change, i int) error { return c.RemoveClient(fmt.Sprintf("client-%d", i)) }, login, http.StatusUnauthorized},
	{"remove the business", func(c *store.Change, i int) error { return c.RemoveBusiness(fmt.Sprintf("biz-%d", i)) }, inquiry, http.StatusUnauthorized},
}

func smsLogin(c *caller, i int, _ tokens) reply {
	return c.post(context.Background(), "/api/v1/user/authenticate", "application/json", fmt.Sprintf(
		`{"Username":%q,"Password":%q,"VirtualNumber":%q,"TokenValidDay":1}`, username(i), passwordOf(i), lineOf(i)), nil)
}

// TestChangesSpread is TWO-3: what a command changes holds on every node, warm
// or not.
func TestChangesSpread(t *testing.T) {
	rounds := sized(1, 10)
	spreads(t, func(t *testing.T, p pairOfNodes, p99, most time.Duration) {
		must(t, p.changes(t, rounds, p99, most))
	}, riches(rounds*len(changes))...)
}

// TestChangesSpreadControl: nodes that do not look for what others changed.
func TestChangesSpreadControl(t *testing.T) {
	t.Parallel()
	control(t)
	mustCatch(t, "promised", newDeafPair(t, riches(len(changes))...).changes(t, 1, time.Second, 2*time.Second))
}

func (p pairOfNodes) changes(t *testing.T, rounds int, p99, most time.Duration) (problems []string) {
	t.Helper()
	data, err := store.Attach(t.Context(), p.location(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	issued := p.loginEach(t, rounds*len(changes))
	var took []time.Duration
	for i, s := range together(len(issued), func(i int) spread { return p.change(t, data, i, issued[i]) }) {
		for _, problem := range s.problems {
			problems = append(problems, changes[i%len(changes)].name+": "+problem)
		}
		took = append(took, s.took)
	}
	return append(problems, within(t, took, p99, most)...)
}

// loginEach logs so many accounts in at B, one after the other: of first logins
// at once a server takes no more than it has room to hash.
func (p pairOfNodes) loginEach(t *testing.T, n int) (issued []tokens) {
	t.Helper()
	c := newCaller(p.b.address)
	defer c.close()
	for i := range n {
		token, r := c.login(t.Context(), i)
		if !r.ok() {
			t.Fatalf("login: %v", r)
		}
		issued = append(issued, token)
	}
	return issued
}

// change does the i-th account's change beside the nodes, as a command does, and
// calls B until it holds there.
func (p pairOfNodes) change(t *testing.T, data *store.Store, i int, token tokens) spread {
	c, ch := newCaller(p.b.address), changes[i%len(changes)]
	defer c.close()
	if r := ch.call(c, i, token); !r.ok() {
		return spread{problems: []string{fmt.Sprintf("before the change: %v", r)}}
	}
	act := store.Act{Actor: "test", Service: "account", Method: "change"}
	if err := data.Change(t.Context(), act, func(c *store.Change) error { return ch.do(c, i) }); err != nil {
		return spread{problems: []string{err.Error()}}
	}
	from := time.Now()
	cluster.Signal(t.Context(), p.redis, data.Keyring())
	status := ch.status
	if status == 0 { // the dialect's own word
		status = http.StatusForbidden
	}
	return until(from, status, func() reply { return ch.call(c, i, token) })
}

// TestReuseAcrossNodes is TWO-4: a spent refresh token is recognised on
// whichever node it is shown, and its family is dead on both.
func TestReuseAcrossNodes(t *testing.T) {
	t.Parallel()
	must(t, newPair(t, throwaway.StartRedis(t).URL(), riches(1)...).reuse(t))
}

// TestReuseAcrossNodesControl: the grace of a token that was just spent is
// everybody's who was ever good.
func TestReuseAcrossNodesControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSharedSite(t, throwaway.Database(t), riches(1)...).lacking(t, "graceful")
	s.redis = throwaway.StartRedis(t).URL()
	problems := pairOfNodes{s, s.start(t), s.start(t)}.reuse(t)
	for _, way := range reuses {
		mustCatch(t, way.name+": the spent token", problems)
	}
}

// TestReuseAcrossNodesControlOfNews: nodes that do not look for what others
// changed.
func TestReuseAcrossNodesControlOfNews(t *testing.T) {
	t.Parallel()
	control(t)
	mustCatch(t, "lived for", newDeafPair(t, riches(1)...).reuse(t))
}

// reuses are ways to show A's first token, which is spent, at B. Each gives the
// family's last tokens too.
var reuses = []struct {
	name string
	show func(t *testing.T, a, b *caller, t1 tokens) (last tokens, spent reply)
}{
	{"again after its grace", func(t *testing.T, a, b *caller, t1 tokens) (tokens, reply) {
		t2, _ := a.refresh(t.Context(), 0, t1.Refresh)
		pause(t, 11*time.Second)
		_, r := b.refresh(t.Context(), 0, t1.Refresh)
		return t2, r
	}},
	{"a grandparent within it", func(t *testing.T, a, b *caller, t1 tokens) (tokens, reply) {
		t2, _ := a.refresh(t.Context(), 0, t1.Refresh)
		t3, _ := b.refresh(t.Context(), 0, t2.Refresh)
		_, r := b.refresh(t.Context(), 0, t1.Refresh)
		return t3, r
	}},
	{"a grandparent from elsewhere", func(t *testing.T, a, b *caller, t1 tokens) (tokens, reply) {
		t2, _ := a.refresh(t.Context(), 0, t1.Refresh)
		t3, _ := a.refresh(t.Context(), 0, t2.Refresh)
		_, r := b.from("127.0.0.2").refresh(t.Context(), 0, t1.Refresh)
		return t3, r
	}},
}

func (p pairOfNodes) reuse(t *testing.T) (problems []string) {
	t.Helper()
	for i, found := range together(len(reuses), func(i int) []string { return p.reused(t, reuses[i].show) }) {
		for _, problem := range found {
			problems = append(problems, reuses[i].name+": "+problem)
		}
	}
	return problems
}

// reused shows a spent token in one way, and looks at what is left of its family
// on both nodes.
func (p pairOfNodes) reused(t *testing.T, show func(t *testing.T, a, b *caller, t1 tokens) (tokens, reply)) (problems []string) {
	a, b := newCaller(p.a.address), newCaller(p.b.address)
	defer a.close()
	defer b.close()
	t1, r := a.login(t.Context(), 0)
	if !r.ok() {
		return []string{fmt.Sprintf("login: %v", r)}
	}
	last, r := show(t, a, b, t1)
	if last.Refresh == "" || r.status != http.StatusBadRequest {
		return []string{fmt.Sprintf("the spent token: status %d, %v", r.status, r.err)} // the body may hold new ones
	}
	from := time.Now()
	for name, c := range map[string]*caller{"A": a, "B": b} {
		s := until(from, http.StatusUnauthorized, func() reply { return c.report(t.Context(), last.Access) })
		problems = append(problems, s.problems...)
		if t.Logf("at %s an access token was dead after %v", name, s.took); s.took > slack(time.Second) {
			problems = append(problems, fmt.Sprintf("at %s an access token of the family lived for %v, promised is 1 s", name, s.took))
		}
		if _, r := c.refresh(t.Context(), 0, last.Refresh); r.status != http.StatusBadRequest {
			problems = append(problems, fmt.Sprintf("at %s the family's last refresh token: %v", name, r))
		}
	}
	return problems
}

// from is the caller at another address of this machine.
func (c *caller) from(address string) *caller {
	dial := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &caller{address: c.address, client: &http.Client{Transport: &http.Transport{DialContext: dial.DialContext, DisableKeepAlives: true}}}
}
