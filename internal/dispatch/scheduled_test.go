package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/dispatch"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestScheduledOnTime: what is scheduled goes out within a second of its time,
// and never before, whenever that is. Time is the bubble's: it stands still
// while anybody works, so that what is measured is how long is waited.
func TestScheduledOnTime(t *testing.T) {
	t.Parallel()
	const n = 24
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where a bubble begins
	dir := t.TempDir()
	due, last := map[int64]time.Time{}, epoch
	// Nothing of the committer may be of the bubble: callers outside share its
	// memory. So what is to be sent is there when the bubble begins.
	s, err := store.Open(t.Context(), store.Folder(dir), store.Options{Now: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fund(t, s, 10_000)
	for i := range n {
		c := storetest.Sending(t, s, fmt.Sprintf("call-%d", i), "a0", 1, func(b *sms.Batch) {
			b.Priority = sms.Priority(i % 3)
			b.At, b.Due = epoch, epoch.Add(time.Duration(i)*2097*time.Millisecond+time.Second)
			b.Expires = b.Due.Add(time.Hour)
		})
		due[c.Batch.ID], last = c.Batch.Due, c.Batch.Due
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Close(t, s)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), store.Folder(dir), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := &punctual{scripted: operatorOf("a", nil), at: map[int64]time.Time{}}
		d, err := dispatch.New(dispatch.Options{Store: s, Ways: []dispatch.Way{{Operator: o}}, Wake: s.Wake("send"), Log: &event.Log{}})
		if err != nil {
			t.Fatal(err)
		}
		d.Start()
		<-time.After(time.Until(last) + 2*time.Second)
		if err := errors.Join(d.Drain(context.Background()), s.Close()); err != nil {
			t.Error(err)
		}
		longest := time.Duration(0)
		for id, due := range due {
			late := o.at[id].Sub(due)
			if late < 0 || late >= time.Second {
				t.Errorf("message %d was sent %v after its time", id, late)
			}
			longest = max(longest, late)
		}
		t.Logf("at most %v after its time", longest)
	})
}

// punctual notes when each message came.
type punctual struct {
	*scripted
	mu sync.Mutex
	at map[int64]time.Time
}

func (o *punctual) Submit(ctx context.Context, p operator.Part) (string, error) {
	o.mu.Lock()
	o.at[p.Message] = time.Now()
	o.mu.Unlock()
	return o.scripted.Submit(ctx, p)
}
