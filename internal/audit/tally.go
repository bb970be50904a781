package audit

import (
	"net/netip"
	"sync"
	"time"

	"dargah.dev/dargah/internal/fault"
)

// tallyKinds bounds the memory of a tally: beyond it, a minute's further
// sources are counted together under the zero address.
const tallyKinds = 10_000

// Tally counts refused calls of unknown callers until they are written.
// The zero value is ready.
type Tally struct {
	mu     sync.Mutex
	counts map[Garbage]int64
}

// Add counts one call. IPv6 sources count by /64, the smallest block that one
// holder gets, so that a holder cannot be many sources.
func (t *Tally) Add(at time.Time, peer netip.Addr, dialect string, outcome fault.Code) {
	kind := Garbage{Minute: at.Unix() / 60, Peer: source(peer), Dialect: dialect, Outcome: outcome}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(kind, 1)
}

func (t *Tally) add(kind Garbage, n int64) {
	if t.counts == nil {
		t.counts = map[Garbage]int64{}
	}
	if _, known := t.counts[kind]; !known && len(t.counts) >= tallyKinds {
		kind.Peer = netip.Addr{}
	}
	t.counts[kind] += n
}

// Drain hands over what was counted and starts anew. Restore puts it back
// when it could not be written.
func (t *Tally) Drain() map[Garbage]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := t.counts
	t.counts = nil
	return counts
}

// Restore adds drained counts back.
func (t *Tally) Restore(counts map[Garbage]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for kind, n := range counts {
		t.add(kind, n)
	}
}

func source(peer netip.Addr) netip.Addr {
	peer = peer.Unmap().WithZone("")
	if !peer.Is6() {
		return peer
	}
	block, err := peer.Prefix(64)
	if err != nil {
		return netip.Addr{}
	}
	return block.Addr()
}
