package limit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/limit"
)

func TestBurstThenOneEachInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		for i := range 5 {
			if ok, _ := m.Take("a", 5); !ok {
				t.Fatalf("call %d of the burst is refused", i)
			}
		}
		ok, after := m.Take("a", 5)
		if ok || after != 200*time.Millisecond {
			t.Fatalf("sixth call: %v, next after %v; want a refusal and 200ms", ok, after)
		}
		if ok, _ := m.Take("b", 5); !ok {
			t.Error("another key is refused")
		}
		time.Sleep(after) //nolint:forbidigo // in a bubble of synctest no time passes
		if ok, _ := m.Take("a", 5); !ok {
			t.Error("refused although the announced time has passed")
		}
		if ok, _ := m.Take("a", 5); ok {
			t.Error("a second call within one interval is taken")
		}
		m.Give("a", 5)
		if ok, _ := m.Take("a", 5); !ok {
			t.Error("a returned call cannot be taken again")
		}
	})
}

func TestLongRunKeepsTheRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		taken := 0
		for range 60 * 20 { // 20 offered a second, for a minute
			if ok, _ := m.Take("a", 5); ok {
				taken++
			}
			time.Sleep(50 * time.Millisecond) //nolint:forbidigo // as above
		}
		if taken < 297 || taken > 310 {
			t.Errorf("%d taken in 60 s at 5 per second", taken)
		}
	})
}

func TestParallelCallsNeverExceedTheBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		var taken atomic.Int64
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if ok, _ := m.Take("a", 7); ok {
					taken.Add(1)
				}
			})
		}
		wg.Wait()
		if got := taken.Load(); got != 7 {
			t.Errorf("%d of 200 calls at once were taken, want 7", got)
		}
	})
}
