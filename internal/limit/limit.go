// Package limit owns how many calls a second a key may make, counted in this
// process by GCRA: a virtual clock per key that each call moves forward by one
// interval, refused when it runs further ahead than the burst allows.
package limit

import (
	"sync"
	"sync/atomic"
	"time"
)

// Memory is a limiter that lives in this process. The zero value is ready.
type Memory struct {
	clocks sync.Map // key → *atomic.Int64, nanoseconds of the key's virtual clock
	start  time.Time
	once   sync.Once
}

// Take spends one call of the key, which may make perSecond calls a second
// with bursts of the same size. If it is refused nothing is spent, and after
// tells when the next call would be taken.
func (m *Memory) Take(key string, perSecond int) (ok bool, after time.Duration) {
	clock, now := m.clock(key)
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
	clock, _ := m.clock(key)
	clock.Add(-int64(time.Second) / int64(perSecond))
}

// clock reads monotonic time, so that a jump of the wall clock neither blocks
// nor frees anybody. Starting one second in lets the first call have its burst.
func (m *Memory) clock(key string) (*atomic.Int64, int64) {
	m.once.Do(func() { m.start = time.Now() })
	c, ok := m.clocks.Load(key)
	if !ok {
		c, _ = m.clocks.LoadOrStore(key, new(atomic.Int64))
	}
	return c.(*atomic.Int64), int64(time.Since(m.start) + time.Second)
}
