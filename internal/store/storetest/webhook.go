package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
