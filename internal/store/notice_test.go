package store_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/webhook"
)

// clock is a time that a test moves.
type clock struct{ us atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.us.Store(1_790_000_000_000_000)
	return c
}

func (c *clock) now() time.Time           { return time.UnixMicro(c.us.Load()).UTC() }
func (c *clock) forward(by time.Duration) { c.us.Add(by.Microseconds()) }

// hooked is a store whose account a0 has these webhooks.
func hooked(t *testing.T, at store.Location, c *clock, ids ...string) *store.Store {
	t.Helper()
	s := storetest.Must(t, place(t, at), store.Options{Now: c.now})
	storetest.Fund(t, s, 1)
	for _, id := range ids {
		changeHook(t, s, func(c *store.Change) error { return c.AddWebhook(storetest.Hook(id, "https://"+id+".example")) })
	}
	return s
}

func changeHook(t *testing.T, s *store.Store, do func(*store.Change) error) {
	t.Helper()
	if err := s.Change(t.Context(), store.Act{Actor: "tester", Service: "webhook", Method: "set"}, do); err != nil {
		t.Fatal(err)
	}
	if err := s.LoadWebhooks(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func happen(t *testing.T, s *store.Store, ref int64, at time.Time) {
	t.Helper()
	if err := s.Notify(t.Context(), "a0", webhook.Notice{Event: webhook.Delivered, Ref: ref, State: sms.Delivered, At: at}); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, s *store.Store, holder string, room map[string]int) []webhook.Notice {
	t.Helper()
	all, err := s.ClaimNotices(t.Context(), holder, room, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func due(t *testing.T, s *store.Store) []string {
	t.Helper()
	all, err := s.DueNotices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func record(t *testing.T, s *store.Store, holder string, tries ...webhook.Try) []string {
	t.Helper()
	hopeless, err := s.Tried(t.Context(), holder, tries)
	if err != nil {
		t.Fatal(err)
	}
	return hopeless
}

// TestNoticesAreClaimedOnce: by one holder, as many as there is room for, and by
// another when the lease has ended.
func TestNoticesAreClaimedOnce(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		c := newClock()
		s := hooked(t, at, c, "h1", "h2")
		for i := range 5 {
			happen(t, s, int64(i), c.now())
		}
		if got := due(t, s); !slices.Equal(got, []string{"h1", "h2"}) {
			t.Fatalf("due: %v", got)
		}
		first := claim(t, s, "me", map[string]int{"h1": 3, "h2": 1})
		rest := claim(t, s, "other", map[string]int{"h1": 99, "h2": 99})
		if len(first) != 4 || len(rest) != 6 {
			t.Fatalf("claimed %d and %d", len(first), len(rest))
		}
		seen := map[int64]bool{}
		for _, n := range slices.Concat(first, rest) {
			if seen[n.ID] || n.Attempt != 0 || !n.At.Equal(c.now()) || n.State != sms.Delivered || n.Event != webhook.Delivered {
				t.Errorf("claimed %+v", n)
			}
			seen[n.ID] = true
		}
		if again := claim(t, s, "me", map[string]int{"h1": 99, "h2": 99}); len(again) != 0 || len(due(t, s)) != 0 {
			t.Errorf("%d claimed twice", len(again))
		}
		c.forward(time.Minute)
		if again := claim(t, s, "me", map[string]int{"h1": 99, "h2": 99}); len(again) != 10 {
			t.Errorf("%d of 10 after the lease", len(again))
		}
	})
}

func TestNoticesAreTried(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		c := newClock()
		s := hooked(t, at, c, "h1")
		happen(t, s, 7, c.now())
		n := claim(t, s, "me", map[string]int{"h1": 1})[0]
		record(t, s, "me", webhook.Try{Notice: n.ID, Webhook: "h1", At: c.now(), Status: 500, Note: "answered 500", Next: c.now().Add(time.Second)})
		if len(due(t, s)) != 0 {
			t.Error("due before its time")
		}
		c.forward(time.Second)
		n = claim(t, s, "me", map[string]int{"h1": 1})[0]
		if n.Attempt != 1 || n.Attempts != 1 || n.Status != 500 || n.Note != "answered 500" {
			t.Errorf("the second attempt: %+v", n)
		}
		// Who lost it to another cannot put it off, but can say that it arrived.
		record(t, s, "other", webhook.Try{Notice: n.ID, Webhook: "h1", At: c.now(), Next: c.now().Add(time.Hour)})
		record(t, s, "other", webhook.Try{Notice: n.ID, Webhook: "h1", At: c.now(), Status: 200, Outcome: webhook.Arrived})
		record(t, s, "me", webhook.Try{Notice: n.ID, Webhook: "h1", At: c.now(), Status: 500, Outcome: webhook.GivenUp})
		log, err := s.Notices(t.Context(), "h1", 10)
		if err != nil || len(log) != 1 || log[0].Outcome != webhook.Arrived || log[0].Attempts != 3 {
			t.Errorf("%+v: %v", log, err)
		}
		c.forward(time.Hour)
		if len(due(t, s)) != 0 {
			t.Error("due although it arrived")
		}
		changeHook(t, s, func(c *store.Change) error { return c.Replay([]int64{n.ID}) })
		if again := claim(t, s, "me", map[string]int{"h1": 1}); len(again) != 1 || again[0].ID != n.ID || again[0].Attempt != 0 || again[0].Attempts != 3 {
			t.Errorf("replayed: %+v", again)
		}
	})
}

// TestHopelessWebhooks: five days and ten failures, without one success.
func TestHopelessWebhooks(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		c := newClock()
		s := hooked(t, at, c, "h1")
		happen(t, s, 7, c.now())
		id := claim(t, s, "me", map[string]int{"h1": 1})[0].ID
		fail := func() []string {
			return record(t, s, "me", webhook.Try{Notice: id, Webhook: "h1", At: c.now(), Next: c.now()})
		}
		for range webhook.LeastFailures {
			if got := fail(); got != nil {
				t.Fatalf("given up too early: %v", got)
			}
		}
		c.forward(webhook.Patience - time.Microsecond)
		if got := fail(); got != nil {
			t.Fatalf("given up too early: %v", got)
		}
		c.forward(time.Microsecond)
		if got := fail(); !slices.Equal(got, []string{"h1"}) {
			t.Errorf("not given up: %v", got)
		}
		record(t, s, "me", webhook.Try{Notice: id, Webhook: "h1", At: c.now(), Outcome: webhook.Arrived})
		if w, err := s.Webhook(t.Context(), "h1"); err != nil || w.Failures != 0 || !w.FailingSince.IsZero() {
			t.Errorf("after a success: %+v: %v", w, err)
		}
		c.forward(webhook.Patience)
		if got := fail(); got != nil {
			t.Errorf("given up by the first failure: %v", got)
		}
	})
}

// TestDisabledWebhooks hear of nothing new; what waited goes out when they are
// enabled.
func TestDisabledWebhooks(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		c := newClock()
		s := hooked(t, at, c, "h1", "h2")
		happen(t, s, 1, c.now())
		disable := func(to bool) {
			changeHook(t, s, func(c *store.Change) error {
				return c.SetWebhook("h1", func(w *webhook.Webhook) { w.Disabled = to })
			})
		}
		disable(true)
		happen(t, s, 2, c.now())
		if got := due(t, s); !slices.Equal(got, []string{"h2"}) {
			t.Errorf("due: %v", got)
		}
		disable(false)
		if got := claim(t, s, "me", map[string]int{"h1": 9}); len(got) != 1 || got[0].Ref != 1 {
			t.Errorf("after it was enabled: %+v", got)
		}
	})
}

func TestForgottenNotices(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		c := newClock()
		s := hooked(t, at, c, "h1", "h2")
		happen(t, s, 1, c.now())
		for _, n := range claim(t, s, "me", map[string]int{"h1": 1}) {
			record(t, s, "me", webhook.Try{Notice: n.ID, Webhook: "h1", At: c.now(), Outcome: webhook.Arrived})
		}
		c.forward(31 * 24 * time.Hour)
		if err := s.ForgetNotices(t.Context()); err != nil {
			t.Fatal(err)
		}
		for hook, want := range map[string]int{"h1": 0, "h2": 1} { // the second still waits
			if log, err := s.Notices(t.Context(), hook, 10); err != nil || len(log) != want {
				t.Errorf("%s: %d: %v", hook, len(log), err)
			}
		}
		alter(t, at, `DELETE FROM webhook WHERE id = 'h2'`)
		if err := s.ForgetNotices(t.Context()); err != nil {
			t.Fatal(err)
		}
		if log, err := s.Notices(t.Context(), "h2", 10); err != nil || len(log) != 0 {
			t.Errorf("of a webhook that is gone: %d: %v", len(log), err)
		}
	})
}
