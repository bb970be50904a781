package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

func changedSending(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1, 1)
	var made account.Template
	change(t, s, func(c *store.Change) (err error) {
		made, err = c.AddTemplate("a0", account.Template{Body: "{code}"})
		_, err2 := c.AddTemplate("a0", account.Template{ID: "TEMPLATE02", Body: "x"})
		return errors.Join(err, err2,
			c.AddKey("a0", account.APIKey{ID: "k1", Hash: [32]byte{1}}), c.AddKey("a0", account.APIKey{ID: "k2", Hash: [32]byte{2}}),
			c.SetAccountPrice("a0", "sms", 5), c.SetAccountPrice("a0", "sms", 7), c.SetAccountPrice("a0", "person", 0), c.SetAccountPrice("a1", "sms", 1))
	})
	change(t, s, func(c *store.Change) error {
		return errors.Join(c.SetKey("k1", func(k *account.APIKey) { k.ID, k.Hash, k.Disabled = "other", [32]byte{9}, true }), c.RemoveKey("k2"),
			c.SetTemplate(made.ID, func(t *account.Template) {
				*t = account.Template{Line: "30001", Urgent: true, Once: true, Body: "{a}\n{b}"}
			}),
			c.RemoveTemplate("TEMPLATE02"), c.RemoveAccountPrice("a0", "person"))
	})
	a := one(t, s, "a0")
	got := account.Account{APIKeys: a.APIKeys, Templates: a.Templates, Prices: a.Prices}
	if diff := cmp.Diff(account.Account{
		APIKeys:   []account.APIKey{{ID: "k1", Hash: [32]byte{9}, Disabled: true}},
		Templates: []account.Template{{ID: made.ID, Line: "30001", Urgent: true, Once: true, Body: "{a}\n{b}"}},
		Prices:    map[string]rial.Amount{"sms": 7},
	}, got, cmp.AllowUnexported(account.Grants{})); diff != "" || len(made.ID) != account.TemplateIDLength {
		t.Errorf("template %q: %s", made.ID, diff)
	}
	template := func(c *store.Change, owner, id string) error {
		_, err := c.AddTemplate(owner, account.Template{ID: id})
		return err
	}
	for name, do := range map[string]func(c *store.Change) error{
		"key":      func(c *store.Change) error { return c.AddKey("a1", account.APIKey{ID: "k1"}) },
		"secret":   func(c *store.Change) error { return c.AddKey("a1", account.APIKey{ID: "k3", Hash: [32]byte{9}}) },
		"template": func(c *store.Change) error { return template(c, "a1", made.ID) },
		"another's secret": func(c *store.Change) error {
			err := c.AddKey("a1", account.APIKey{ID: "k3"})
			return errors.Join(err, c.SetKey("k3", func(k *account.APIKey) { k.Hash = [32]byte{9} }))
		},
	} {
		t.Run("taken "+name, func(t *testing.T) { refuses(t, s, store.ErrTaken, do) })
	}
	for name, do := range map[string]func(c *store.Change) error{
		"key":          func(c *store.Change) error { return c.RemoveKey("k2") },
		"key set":      func(c *store.Change) error { return c.SetKey("k2", func(*account.APIKey) {}) },
		"template":     func(c *store.Change) error { return c.RemoveTemplate("TEMPLATE02") },
		"template set": func(c *store.Change) error { return c.SetTemplate("", func(*account.Template) {}) },
		"price":        func(c *store.Change) error { return c.RemoveAccountPrice("a0", "person") },
		"owner":        func(c *store.Change) error { return c.SetAccountPrice("nobody", "sms", 1) },
	} {
		t.Run("not there "+name, func(t *testing.T) { refuses(t, s, store.ErrNone, do) })
	}
	refuses(t, s, store.ErrNoAccount, func(c *store.Change) error { return template(c, "nobody", "") })
}

func blocks(t *testing.T, place Place) {
	now := time.UnixMicro(1_750_000_000_000_000).UTC()
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	Fund(t, s, 1)
	change(t, s, func(c *store.Change) error { return c.AddLine("a0", account.Line{Number: "30001"}) })
	ali, sara := must(persian.ParseMobile("09120000001")), must(persian.ParseMobile("09120000002"))
	has := func(line string, who persian.Mobile, want bool) {
		t.Helper()
		if must(s.Blocks(t.Context())).Has(line, who) != want {
			t.Errorf("blocked on %s: %v", line, !want)
		}
	}
	has("30001", ali, false)
	ok(t, s.PutBlocks(t.Context(), []store.Block{{Line: "30001", Recipient: ali}, {Line: "+98 30001", Recipient: ali}}))
	has("009830001", ali, true)
	has("30001", sara, false)
	has("30002", ali, false)
	before := must(s.Versions(t.Context()))
	refuses(t, s, store.ErrTaken, func(c *store.Change) error { return c.AddBlock(store.Block{Line: "30001", Recipient: ali}) })
	refuses(t, s, store.ErrNone, func(c *store.Change) error { return c.AddBlock(store.Block{Line: "30009", Recipient: ali}) })
	refuses(t, s, store.ErrNone, func(c *store.Change) error { return c.RemoveBlock(store.Block{Line: "30001", Recipient: sara}) })
	now = now.Add(time.Hour)
	change(t, s, func(c *store.Change) error { return c.AddBlock(store.Block{Line: "9830001", Recipient: sara}) })
	if after := must(s.Versions(t.Context())); after.Blocks != before.Blocks+1 || after.Accounts != before.Accounts {
		t.Errorf("versions %+v after %+v", after, before)
	}
	has("30001", sara, true)
	want := []store.Blocked{{Line: "30001", Recipients: 2, First: now.Add(-time.Hour), Last: now}}
	if diff := cmp.Diff(want, must(s.CountBlocks(t.Context()))); diff != "" {
		t.Error(diff)
	}
	change(t, s, func(c *store.Change) error {
		there, err := c.HasBlock(store.Block{Line: "0098 30001", Recipient: ali})
		if !there {
			t.Error("a block is not there")
		}
		// Who has the line next is bound by the block as well.
		return errors.Join(err, c.RemoveLine("30001"), c.RemoveBlock(store.Block{Line: "30001", Recipient: ali}))
	})
	has("30001", ali, false)
	has("30001", sara, true)
	if _, records := history(t, s, "a0"); len(records) != 3 {
		t.Errorf("%d records of the line's owner", len(records))
	}
}
