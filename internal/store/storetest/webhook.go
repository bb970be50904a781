package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

// Hook is a webhook of account a0.
func Hook(id, url string) webhook.Webhook {
	return webhook.Webhook{ID: id, Account: "a0", URL: url, Events: webhook.Events, Secret: webhook.NewSecret()}
}

func webhooks(t *testing.T, place Place) {
	s := Must(t, place, store.Options{Now: func() time.Time { return time.UnixMicro(1_790_000_000_000_000) }})
	Fund(t, s, 1)
	add := func(w webhook.Webhook) error {
		return s.Change(t.Context(), store.Act{Actor: "tester", Service: "webhook", Method: "add", Which: w.ID}, func(c *store.Change) error { return c.AddWebhook(w) })
	}
	first, second := Hook("h1", "https://one.example/x"), Hook("h2", "https://two.example/y")
	second.WithText, second.Events, second.Former, second.FormerUntil = true, webhook.Events[:1], webhook.NewSecret(), time.UnixMicro(1_800_000_000_000_000).UTC()
	ok(t, errors.Join(add(first), add(second)))
	if err := add(first); !errors.Is(err, store.ErrTaken) {
		t.Errorf("the same id again: %v", err)
	}
	stranger := Hook("h3", "https://three.example")
	stranger.Account = "nobody"
	if err := add(stranger); !errors.Is(err, store.ErrNoAccount) {
		t.Errorf("of no account: %v", err)
	}
	got, err := s.Webhooks(t.Context(), "a0")
	ok(t, err)
	if diff := cmp.Diff([]webhook.Webhook{first, second}, got, cmpopts.IgnoreFields(webhook.Webhook{}, "At"), cmp.Comparer(func(a, b webhook.Secret) bool { return a.Text() == b.Text() })); diff != "" {
		t.Error(diff)
	}
	before, err := s.Versions(t.Context())
	ok(t, err)
	set := func(do func(*store.Change) error) error {
		return s.Change(t.Context(), store.Act{Actor: "tester", Service: "webhook", Method: "set", Which: "h1"}, do)
	}
	ok(t, set(func(c *store.Change) error {
		return c.SetWebhook("h1", func(w *webhook.Webhook) { w.Disabled, w.URL, w.Account = true, "https://other.example", "a9" })
	}))
	changed, err := s.Webhook(t.Context(), "h1")
	ok(t, err)
	if !changed.Disabled || changed.URL != "https://other.example" || changed.Account != "a0" {
		t.Errorf("changed to %+v", changed)
	}
	if after, err := s.Versions(t.Context()); err != nil || after.Webhooks <= before.Webhooks {
		t.Errorf("servers are not told: %v", err)
	}
	ok(t, set(func(c *store.Change) error { return c.RemoveWebhook("h1") }))
	if _, err := s.Webhook(t.Context(), "h1"); !errors.Is(err, store.ErrNone) {
		t.Errorf("after it was removed: %v", err)
	}
	if err := set(func(c *store.Change) error { return c.RemoveWebhook("h1") }); !errors.Is(err, store.ErrNone) {
		t.Errorf("removed twice: %v", err)
	}
}

// putWebhooks: all or none, and they hear of what happens at once.
func putWebhooks(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100)
	if err := s.PutWebhooks(t.Context(), []webhook.Webhook{Hook("h1", "https://one.example"), Hook("h1", "https://two.example")}); !errors.Is(err, store.ErrTaken) {
		t.Errorf("the same id twice: %v", err)
	}
	if all, err := s.Webhooks(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("some of them were put: %d, %v", len(all), err)
	}
	ok(t, s.PutWebhooks(t.Context(), []webhook.Webhook{Hook("h1", "https://one.example"), Hook("h2", "https://two.example")}))
	first := sendNow(t, s, "call", "a0", 1)
	ok(t, s.Record(t.Context(), []sms.Result{result(first, first, "55")}))
	ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt("55", sms.Delivered)}))
	for _, id := range []string{"h1", "h2"} {
		if log, err := s.Notices(t.Context(), id, 9); err != nil || len(log) != 1 {
			t.Errorf("%s: %d notices, %v", id, len(log), err)
		}
	}
}

// subjects: notices find their messages and those from phones, in any mixture;
// tests, and what is no longer there, are about nothing.
func subjects(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	ok(t, s.Change(t.Context(), store.Act{Actor: "x", Service: "line", Method: "add"}, func(c *store.Change) error {
		return c.AddLine("a0", account.Line{Number: "30001234"})
	}))
	first, second := sendNow(t, s, "call", "a0", 3), sendNow(t, s, "other", "a0", 1)
	ok(t, s.Arrivals(t.Context(), arrivals(5, "9830001234", 0, "from a phone")))
	came, err := s.Incoming(t.Context(), sms.Inbox{Account: "a0", Limit: 9})
	ok(t, err)
	notices := []webhook.Notice{
		{ID: 1, Event: webhook.Delivered, Ref: first + 2}, {ID: 2, Event: webhook.Failed, Ref: second}, {ID: 3, Event: webhook.Delivered, Ref: first},
		{ID: 4, Event: webhook.Received, Ref: came[0].ID}, {ID: 5, Event: webhook.Test}, {ID: 6, Event: webhook.Delivered, Ref: 1 << 40},
		{ID: 7, Event: webhook.Received, Ref: 1 << 40}, {ID: 8, Event: webhook.Failed, Ref: first},
	}
	got, err := s.Subjects(t.Context(), notices)
	ok(t, err)
	sent := func(batch int64, place int) webhook.Subject {
		all, err := s.Batches(context.Background(), []int64{batch})
		ok(t, err)
		return webhook.Subject{Message: &all[0].Messages[place], Batch: batch}
	}
	want := map[int64]webhook.Subject{
		1: sent(first, 2), 2: sent(second, 0), 3: sent(first, 0), 8: sent(first, 0), 4: {Incoming: &came[0]},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(persian.Mobile{})); diff != "" {
		t.Error(diff)
	}
	if got[1].Message.Recipient != Mobile(2) || got[4].Incoming.Text != "from a phone" || got[4].Incoming.Line != "30001234" {
		t.Errorf("%+v, %+v", got[1].Message, got[4].Incoming)
	}
	if none, err := s.Subjects(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of no notice: %d, %v", len(none), err)
	}
}
