// Package limit owns how many calls a second a key may make, by GCRA: a virtual
// clock per key that each call moves forward by one interval, refused when it
// runs further ahead than the burst allows. Memory counts in this process,
// Shared for several together, over something remote that it knows only as a
// Remote.
package limit

import (
	"sync"
	"sync/atomic"
	"time"
)

// Memory is a limiter that lives in this process. The zero value is ready.
type Memory struct{ clocks clocks }

// Take spends one call of the key, which may make perSecond calls a second
// with bursts of the same size. If it is refused nothing is spent, and after
// tells when the next call would be taken.
func (m *Memory) Take(key string, perSecond int) (ok bool, after time.Duration) {
	clock, now := m.clocks.of(key)
	interval := int64(time.Second) / int64(perSecond)
	burst := interval * int64(perSecond)
	for {
		old := clock.Load()
		next := max(old, now) + interval
		if wait := next - now - burst; wait > 0 {
			return false, time.Duration(wait)
		}
		if clock.CompareAndSwap(old, next) {
			return true, 0
		}
	}
}

// Give returns one call that Take spent.
func (m *Memory) Give(key string, perSecond int) {
	clock, _ := m.clocks.of(key)
	clock.Add(-int64(time.Second) / int64(perSecond))
}

// clocks are virtual clocks by key, in nanoseconds.
type clocks struct {
	byKey sync.Map // key → *atomic.Int64
	start time.Time
	once  sync.Once
}

// of reads monotonic time, so that a jump of the wall clock neither blocks nor
// frees anybody. Starting one second in lets the first call have its burst.
func (c *clocks) of(key string) (clock *atomic.Int64, now int64) {
	c.once.Do(func() { c.start = time.Now() })
	kept, ok := c.byKey.Load(key)
	if !ok {
		kept, _ = c.byKey.LoadOrStore(key, new(atomic.Int64))
	}
	return kept.(*atomic.Int64), int64(time.Since(c.start) + time.Second)
}
