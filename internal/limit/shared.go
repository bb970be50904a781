package limit

import "time"

// Remote counts calls for all nodes together, and may be away at any time. It
// answers within a bound of its own.
type Remote interface {
	// Take is like that of Memory. An error says that the remote cannot tell.
	Take(key string, perSecond int) (ok bool, after time.Duration, err error)
	// Give returns a call. It fails in silence: a call that is counted although
	// it was returned is counted for a second at most.
	Give(key string, perSecond int)
}

// Shared is a limiter of several nodes. While the remote answers, a key has its
// rate over all nodes. While it does not, each node grants its part of the
// rate, and at least one call a second. At no time, whatever the remote
// forgets, does one node grant more than the whole rate. Both fields are needed.
type Shared struct {
	Remote Remote
	Nodes  func() int // those alive; less than 1 counts as 1

	own   Memory // what this node granted, against the whole rate
	part  Memory // what it granted without the remote, against its part
	spent clocks // until when the remote refuses
}

// Take spends one call of the key, as Memory does. What the remote refused it
// is not asked for again before it would grant it: a flood of calls over the
// limit costs it one question an interval and not one a call.
func (s *Shared) Take(key string, perSecond int) (ok bool, after time.Duration) {
	until, now := s.spent.of(key)
	if wait := until.Load() - now; wait > 0 {
		return false, time.Duration(wait)
	}
	if ok, after := s.own.Take(key, perSecond); !ok {
		return false, after
	}
	ok, after, err := s.Remote.Take(key, perSecond)
	switch {
	case err != nil:
		ok, after = s.part.Take(key, s.share(perSecond))
	case !ok:
		until.Store(now + int64(after))
	}
	if !ok {
		s.own.Give(key, perSecond)
	}
	return ok, after
}

// Give returns one call that Take spent.
func (s *Shared) Give(key string, perSecond int) {
	until, _ := s.spent.of(key)
	until.Store(0)
	s.own.Give(key, perSecond)
	s.part.Give(key, s.share(perSecond))
	s.Remote.Give(key, perSecond)
}

// share is this node's part of a rate.
func (s *Shared) share(perSecond int) int { return max(1, perSecond/max(1, s.Nodes())) }
