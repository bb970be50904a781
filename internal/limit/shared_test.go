package limit_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/limit"
)

// site is the remote of some nodes: a Memory that can be away and can be
// emptied.
type site struct {
	memory atomic.Pointer[limit.Memory]
	away   atomic.Bool
	asked  atomic.Int64
}

func newSite() *site {
	s := &site{}
	s.empty()
	return s
}

func (s *site) empty() { s.memory.Store(&limit.Memory{}) }

func (s *site) Take(key string, perSecond int) (bool, time.Duration, error) {
	s.asked.Add(1)
	if s.away.Load() {
		return false, 0, errors.New("away")
	}
	ok, after := s.memory.Load().Take(key, perSecond)
	return ok, after, nil
}

func (s *site) Give(key string, perSecond int) {
	if !s.away.Load() {
		s.memory.Load().Give(key, perSecond)
	}
}

func nodes(s *site, n int) []*limit.Shared {
	all := make([]*limit.Shared, n)
	for i := range all {
		all[i] = &limit.Shared{Remote: s, Nodes: func() int { return n }}
	}
	return all
}

// offer asks each node for one call every 10 ms and counts what is granted.
func offer(all []*limit.Shared, rate int, lasting time.Duration) (granted int) {
	for range lasting / (10 * time.Millisecond) {
		for _, node := range all {
			if ok, _ := node.Take("a", rate); ok {
				granted++
			}
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // in a bubble of synctest no time passes
	}
	return granted
}

func TestNodesShareOneRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all := nodes(newSite(), 2)
		if got := offer(all, 5, time.Minute); got < 297 || got > 310 {
			t.Errorf("%d granted by two nodes in 60 s at 5 per second", got)
		}
	})
}

func TestWithoutTheRemoteEachNodeHasItsPart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ nodes, rate, least, most int }{
		{2, 6, 357, 370}, {2, 5, 237, 250}, {3, 1, 177, 190}, {1, 5, 297, 310},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite()
			s.away.Store(true)
			if got := offer(nodes(s, c.nodes), c.rate, time.Minute); got < c.least || got > c.most {
				t.Errorf("%d granted by %d nodes in 60 s at %d per second", got, c.nodes, c.rate)
			}
		})
	}
}

// Whatever the remote loses and whenever it is away, no node grants more than
// the rate and one burst.
func TestRemoteThatForgetsGrantsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		one := nodes(s, 1)
		granted := 0
		for range 60 {
			granted += offer(one, 5, 300*time.Millisecond)
			s.empty()
			granted += offer(one, 5, 300*time.Millisecond)
			s.away.Store(true)
			granted += offer(one, 5, 400*time.Millisecond)
			s.away.Store(false)
			s.empty()
		}
		if granted < 290 || granted > 305 {
			t.Errorf("%d granted in 60 s at 5 per second", granted)
		}
	})
}

func TestFloodAsksTheRemoteOnceAnInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		offer(nodes(s, 2), 5, 10*time.Second)
		// 55 are granted. Each refusal keeps a node quiet until the next grant.
		if asked := s.asked.Load(); asked > 200 {
			t.Errorf("the remote was asked %d times about 2000 calls", asked)
		}
	})
}

func TestGivenBackCallsCanBeTakenAgain(t *testing.T) {
	t.Parallel()
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite()
			s.away.Store(away)
			one := nodes(s, 1)[0]
			for i := range 1000 {
				ok, _ := one.Take("a", 5)
				if !ok {
					t.Fatalf("away %v: call %d is refused although all before were given back", away, i)
				}
				one.Give("a", 5)
			}
			for range 5 {
				one.Take("a", 5)
			}
			ok, after := one.Take("a", 5)
			if ok || after != 200*time.Millisecond {
				t.Errorf("away %v: given back calls count twice: %v, %v", away, ok, after)
			}
			one.Give("a", 5)
			if ok, _ := one.Take("a", 5); !ok {
				t.Errorf("away %v: a refusal outlives the call that was given back", away)
			}
		})
	}
}
