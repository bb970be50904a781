package fault_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/operator/smpp/smpptest"
)

// TestScheduled sends messages for some seconds ahead by HTTP, and looks at the
// message centre's clock when they come: all of them do, and none before its
// time. How late they are is printed; that it is less than a second is shown
// where time is the test's own (dispatch).
func TestScheduled(t *testing.T) {
	t.Parallel()
	n, seconds := sized(40, 1000), sized(2, 20)
	s := newSite(t, customer{balance: rich})
	var mu sync.Mutex
	came := map[string]time.Time{}
	all := make(chan struct{})
	centre := smpptest.Start(t, smpptest.Options{Receipts: delivered, Answer: func(p smpptest.Part) smpptest.Answer {
		mu.Lock()
		defer mu.Unlock()
		if _, again := came[p.To.Digits]; !again {
			if came[p.To.Digits] = p.At; len(came) == n {
				close(all)
			}
		}
		return smpptest.Answer{}
	}})
	s.reach(centre, nil)
	node := s.start(t)
	c := newCaller(node.address)
	defer c.close()
	due := map[string]time.Time{}
	for i := range n {
		at := time.Now().Truncate(time.Second).Add(time.Duration(2+i%seconds) * time.Second)
		to := mobileOf(i * 104_729 % 10_000_000)
		due["98"+to[1:]] = at
		body := fmt.Sprintf(`{"senderNumber":%q,"recipientNumber":%q,"content":"hello","sendTimestamp":%d}`, lineOf(0), to, at.Unix())
		if r := c.post(t.Context(), "/messages/send", "application/json", body, map[string]string{"X-Api-Key": "api-key-0"}); !r.ok() {
			t.Fatalf("message %d: %v", i, r)
		}
	}
	select {
	case <-all:
	case <-time.After(patience):
		t.Fatalf("%d of %d came", centre.Taken(), n)
	}
	mu.Lock()
	defer mu.Unlock()
	var late []time.Duration
	for to, at := range due {
		late = append(late, came[to].Sub(at))
	}
	slices.Sort(late)
	if late[0] < 0 {
		t.Errorf("one was sent %v before its time", -late[0])
	}
	t.Logf("%d messages after their time: median %v, 99 of 100 %v, longest %v", n, late[n/2], late[n*99/100], late[n-1])
	node.stop(t)
}
