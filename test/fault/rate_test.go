package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/throwaway"
)

// limited is a rate that tests offer more than.
const limited = 5

// TestOneRate is TWO-1: the rate is the account's, not a node's.
func TestOneRate(t *testing.T) {
	t.Parallel()
	p := newPair(t, throwaway.StartRedis(t).URL(), customer{balance: rich, rate: limited})
	must(t, oneRate(t, p))
}

// TestOneRateControl: nodes that know nothing of each other's calls.
func TestOneRateControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSharedSite(t, throwaway.Database(t), customer{balance: rich, rate: limited}).lacking(t, "lonely")
	s.redis = throwaway.StartRedis(t).URL()
	mustCatch(t, "accepted", oneRate(t, pairOfNodes{s, s.start(t), s.start(t)}))
}

// offer makes twenty calls a second, at A and B in turn, and counts what is
// accepted until it is told to end.
type offer struct {
	end      context.CancelFunc
	all      sync.WaitGroup
	mu       sync.Mutex
	accepted []time.Time
	ids      []string // of the calls that were accepted
	refused  int
	problems []string
}

func newOffer(t *testing.T, account int, nodes ...*node) *offer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	o := &offer{end: cancel}
	for i, n := range nodes {
		o.all.Go(func() {
			c := newCaller(n.address)
			defer c.close()
			tick := time.NewTicker(time.Duration(len(nodes)) * 50 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
				o.note(c.inquire(context.Background(), account, i, ""))
			}
		})
	}
	t.Cleanup(o.stop)
	return o
}

func (o *offer) note(r reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case r.ok():
		o.accepted, o.ids = append(o.accepted, time.Now()), append(o.ids, r.id)
	case r.status == http.StatusTooManyRequests && r.header.Get("Retry-After") != "":
		o.refused++
	default:
		o.problems = append(o.problems, r.String())
	}
}

// since counts what was accepted from a moment on.
func (o *offer) since(from time.Time) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, at := range o.accepted {
		if at.After(from) {
			n++
		}
	}
	return n
}

func (o *offer) stop() {
	o.end()
	o.all.Wait()
}

func oneRate(t *testing.T, p pairOfNodes) (problems []string) {
	t.Helper()
	seconds := sized(6, 60)
	from := time.Now()
	o := newOffer(t, 0, p.a, p.b)
	pause(t, time.Duration(seconds)*time.Second)
	o.stop()
	took := time.Since(from).Seconds()
	problems = append(problems, o.problems...)
	least, most := int(took*limited)-3, int(took*limited)+2*limited
	t.Logf("%d accepted and %d refused in %.1f s", len(o.accepted), o.refused, took)
	if n := len(o.accepted); n < least*9/10 || n > most {
		problems = append(problems, fmt.Sprintf("%d accepted in %.1f s, promised are %d to %d", n, took, least, most))
	}
	pause(t, 2*time.Second)
	callers := connected(t, []*node{p.a, p.b}, 100)
	burst := 0
	for _, r := range together(100, func(i int) reply { return callers[i].inquire(t.Context(), 0, i%people, "") }) {
		switch {
		case r.ok():
			burst++
		case r.status != http.StatusTooManyRequests:
			problems = append(problems, r.String())
		}
	}
	if t.Logf("%d of a burst of 100 accepted", burst); burst > limited+limited/2+1 || burst < limited {
		problems = append(problems, fmt.Sprintf("%d of a burst accepted, promised are %d and 1", burst, limited))
	}
	return problems
}
