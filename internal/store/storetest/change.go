package storetest

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/store"
)

var act = store.Act{Actor: "tester", Service: "account", Method: "set"}

// change must succeed.
func change(t *testing.T, s *store.Store, do func(*store.Change) error) {
	t.Helper()
	ok(t, s.Change(t.Context(), act, do))
}

// refuses checks that a change is refused for this reason and leaves no trace.
func refuses(t *testing.T, s *store.Store, want error, do func(*store.Change) error) {
	t.Helper()
	before, records := must(s.Versions(t.Context())), trailLength(t, s)
	if err := s.Change(t.Context(), act, do); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
	if after := must(s.Versions(t.Context())); after != before || trailLength(t, s) != records {
		t.Errorf("refused with %v, but versions are %v after %v, and the trail has %d records after %d", want, after, before, trailLength(t, s), records)
	}
	ok(t, s.Ready(t.Context())) // a refusal must not look like a broken disk
}

func trailLength(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	_, accounts, err := s.Accounts(t.Context())
	ok(t, err)
	owners := []string{""}
	for _, a := range accounts {
		owners = append(owners, a.ID)
	}
	for _, id := range owners {
		_, records := history(t, s, id)
		n += len(records)
	}
	return n
}

func one(t *testing.T, s *store.Store, id string) account.Account {
	t.Helper()
	_, all, err := s.Accounts(t.Context())
	ok(t, err)
	i := slices.IndexFunc(all, func(a account.Account) bool { return a.ID == id })
	if i < 0 {
		t.Fatalf("account %s is not there", id)
	}
	return all[i]
}

func newcomer(name string) store.Account {
	return store.Account{Account: account.Account{Domain: "EXAMPLE", Username: name, TokenDays: 7, Rate: 5}}
}

func changesOnTrail(t *testing.T, place Place) {
	now := time.UnixMicro(1_750_000_000_000_123).UTC()
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	Fund(t, s, 100)
	before := must(s.Versions(t.Context()))
	ok(t, s.Commit(t.Context(), Charge("c1", "a0", 1)))
	ok(t, s.Change(t.Context(), store.Act{Actor: "علی", Service: "client", Method: "add", Which: "shop"}, func(c *store.Change) error {
		return c.AddClient("a0", account.Client{ID: "shop"})
	}))
	ok(t, s.Commit(t.Context(), Charge("c2", "a0", 1)))
	ok(t, s.Change(t.Context(), store.Act{Actor: "x", Service: "price", Method: "set", Which: "sms"}, func(c *store.Change) error {
		return c.SetPrice("sms", 3)
	}))
	_, records := history(t, s, "a0")
	if len(records) != 3 || records[0].Seq != 1 || records[1].Seq != 2 || records[2].Seq != 3 {
		t.Fatalf("%d records", len(records))
	}
	want := store.Record{Seq: 2, Record: audit.Record{
		At: now, Dialect: "command", Service: "client", Method: "add", Account: "a0", Source: "علی",
		Outcome: audit.Answered, Document: "shop",
	}}
	opts := []cmp.Option{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(audit.Record{}, "Call")}
	if diff := cmp.Diff(want, records[1], opts...); diff != "" || records[1].Call == "" {
		t.Errorf("%q: %s", records[1].Call, diff)
	}
	if _, nobodys := history(t, s, ""); len(nobodys) != 1 || nobodys[0].Document != "sms" || nobodys[0].Seq != 4 {
		t.Errorf("%d records of no account", len(nobodys))
	}
	after := must(s.Versions(t.Context()))
	if after.Accounts != before.Accounts+1 || after.World != before.World+1 || after.Families != before.Families {
		t.Errorf("versions %+v after %+v", after, before)
	}
	Close(t, s)
	s = Must(t, place, store.Options{})
	ok(t, s.Commit(t.Context(), Charge("c3", "a0", 1)))
}

func changeAllOrNothing(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100)
	odd := errors.New("odd")
	refuses(t, s, odd, func(c *store.Change) error {
		if _, err := c.AddAccount(newcomer("new")); err != nil {
			return err
		}
		if err := c.SetPrice("sms", 5); err != nil {
			return err
		}
		return odd
	})
	if _, all, err := s.Accounts(t.Context()); err != nil || len(all) != 1 || len(must(s.Prices(t.Context()))) != 0 {
		t.Errorf("%d accounts: %v", len(all), err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Change(gone, act, func(*store.Change) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who has gone: %v", err)
	}
	Close(t, s)
	if err := s.Change(t.Context(), act, func(*store.Change) error { return nil }); err == nil {
		t.Error("a closed store was changed")
	}
}

func changedAccount(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100)
	var made account.Account
	full := newcomer("New")
	full.Balance, full.Lines = 500, []account.Line{{Number: "+98 3000 77"}}
	change(t, s, func(c *store.Change) (err error) {
		made, err = c.AddAccount(full)
		return err
	})
	if made.ID == "" || made.ID == "a0" || made.Number != 2 || made.Domain != "example" || one(t, s, made.ID).Username != "New" {
		t.Errorf("made %+v", made)
	}
	Balanced(t, s, made.ID)
	set := func(edit func(*account.Account)) account.Account {
		t.Helper()
		change(t, s, func(c *store.Change) error {
			id, err := c.AccountID("new@example")
			if err != nil {
				return err
			}
			return c.SetAccount(id, func(a *account.Account) error {
				edit(a)
				a.ID, a.Number, a.Domain = "x", 77, "elsewhere" // which no edit changes
				return nil
			})
		})
		return one(t, s, made.ID)
	}
	rich := set(func(a *account.Account) {
		a.FirstName, a.Rate, a.TokenDays, a.Expires = "سارا", 9, 30, time.UnixMicro(1_800_000_000_000_000).UTC()
		a.Allowed, a.Grants = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, account.NewGrants([]string{"sms/send"})
	})
	if rich.Epoch != 0 || rich.FirstName != "سارا" || rich.Rate != 9 || len(rich.Allowed) != 1 || !rich.Grants.Method("sms", "send") || rich.Expires.IsZero() {
		t.Errorf("%+v", rich)
	}
	for i, edit := range []func(*account.Account){
		func(a *account.Account) { a.Password = "p" },
		func(a *account.Account) { a.TokenPassword = "t" },
		func(a *account.Account) { a.Disabled = true },
		func(a *account.Account) { a.Disabled = false }, // the tokens of before stay dead
		func(a *account.Account) { a.Epoch++ },
	} {
		if got, want := set(edit).Epoch, []int64{1, 2, 3, 3, 4}[i]; got != want {
			t.Errorf("edit %d: epoch %d, want %d", i, got, want)
		}
	}
	change(t, s, func(c *store.Change) error { return c.Logout(made.ID) })
	if got := one(t, s, made.ID); got.Epoch != 5 || got.Rate != 9 {
		t.Errorf("after the logout: %+v", got)
	}
	if got := set(func(a *account.Account) { a.Username = "NEW" }); got.Username != "NEW" {
		t.Errorf("renamed to %q", got.Username)
	}
}

func refusedAccounts(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100, 100)
	refuses(t, s, store.ErrTaken, func(c *store.Change) error {
		return c.SetAccount("a1", func(a *account.Account) error { a.Username = "USER0"; return nil })
	})
	for name, do := range map[string]func(c *store.Change) error{
		"set": func(c *store.Change) error {
			return c.SetAccount("nobody", func(*account.Account) error { return nil })
		},
		"find": func(c *store.Change) error { _, err := c.AccountID("nobody"); return err },
		"line": func(c *store.Change) error { return c.AddLine("nobody", account.Line{Number: "1"}) },
	} {
		t.Run(name, func(t *testing.T) { refuses(t, s, store.ErrNoAccount, do) })
	}
	refuses(t, s, store.ErrNone, func(c *store.Change) error {
		lost := newcomer("lost")
		lost.Domain = "elsewhere"
		_, err := c.AddAccount(lost)
		return err
	})
}

func changedBelongings(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1, 1)
	until := time.UnixMicro(1_800_000_000_000_000).UTC()
	change(t, s, func(c *store.Change) error {
		return errors.Join(
			c.AddLine("a0", account.Line{Number: "30001"}), c.AddLine("a0", account.Line{Number: "30002"}), c.AddLine("a1", account.Line{Number: "30003"}),
			c.AddClient("a0", account.Client{ID: "c1", SecretHash: [32]byte{1}}), c.AddClient("a0", account.Client{ID: "c2"}),
			c.AddBusiness("a0", account.Business{ID: "b1", TokenHash: [32]byte{2}}), c.AddBusiness("a0", account.Business{ID: "b2"}))
	})
	change(t, s, func(c *store.Change) error {
		return errors.Join(c.SetLine("0098 30001", func(l *account.Line) {
			l.Number, l.Suspended, l.Quiet, l.DayLimit = "other", true, account.Hours{From: 1320, To: 420}, 9
		}), c.RemoveLine("30002"), c.AddLine("a0", account.Line{Number: "30004"}),
			c.SetClient("c1", func(c *account.Client) {
				c.Former = account.Former{Hash: c.SecretHash, Until: until}
				c.SecretHash, c.PasswordGrant, c.Disabled = [32]byte{9}, true, true
			}), c.RemoveClient("c2"),
			c.SetBusiness("b1", func(b *account.Business) {
				b.Former = account.Former{Hash: b.TokenHash, Until: until}
				b.TokenHash, b.Disabled = [32]byte{8}, true
			}), c.RemoveBusiness("b2"))
	})
	a := one(t, s, "a0")
	if diff := cmp.Diff([]account.Line{{Number: "30001", Suspended: true, Quiet: account.Hours{From: 1320, To: 420}, DayLimit: 9}, {Number: "30004"}}, a.Lines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]account.Client{{
		ID: "c1", SecretHash: [32]byte{9}, PasswordGrant: true, Disabled: true, Former: account.Former{Hash: [32]byte{1}, Until: until},
	}}, a.Clients); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]account.Business{{
		ID: "b1", TokenHash: [32]byte{8}, Disabled: true, Former: account.Former{Hash: [32]byte{2}, Until: until},
	}}, a.Business); diff != "" {
		t.Error(diff)
	}
	for name, do := range map[string]func(c *store.Change) error{
		"line":     func(c *store.Change) error { return c.AddLine("a1", account.Line{Number: "+9830001"}) },
		"client":   func(c *store.Change) error { return c.AddClient("a1", account.Client{ID: "c1"}) },
		"business": func(c *store.Change) error { return c.AddBusiness("a1", account.Business{ID: "b1"}) },
	} {
		t.Run("taken "+name, func(t *testing.T) { refuses(t, s, store.ErrTaken, do) })
	}
	for name, do := range map[string]func(c *store.Change) error{
		"line":           func(c *store.Change) error { return c.RemoveLine("30002") },
		"line set":       func(c *store.Change) error { return c.SetLine("30002", func(*account.Line) {}) },
		"client":         func(c *store.Change) error { return c.RemoveClient("c2") },
		"client set":     func(c *store.Change) error { return c.SetClient("c2", func(*account.Client) {}) },
		"business":       func(c *store.Change) error { return c.RemoveBusiness("b2") },
		"business set":   func(c *store.Change) error { return c.SetBusiness("b2", func(*account.Business) {}) },
		"somebody's own": func(c *store.Change) error { return c.RemoveBusiness("") },
	} {
		t.Run("not there "+name, func(t *testing.T) { refuses(t, s, store.ErrNone, do) })
	}
}

// changedOwner: a credential goes over to another account as it is.
func changedOwner(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1, 1)
	b1 := account.Business{ID: "b1", TokenHash: [32]byte{8}, Disabled: true,
		Former: account.Former{Hash: [32]byte{2}, Until: time.UnixMicro(1_800_000_000_000_000).UTC()}}
	change(t, s, func(c *store.Change) error {
		return errors.Join(c.AddBusiness("a0", b1), c.AddBusiness("a0", account.Business{ID: "b2"}), c.AddBusiness("a1", account.Business{ID: "b3"}))
	})
	change(t, s, func(c *store.Change) error {
		return errors.Join(c.MoveBusiness("b1", "a1"), c.MoveBusiness("b3", "a1"))
	})
	if diff := cmp.Diff([][]account.Business{{{ID: "b2"}}, {{ID: "b3"}, b1}}, [][]account.Business{one(t, s, "a0").Business, one(t, s, "a1").Business}); diff != "" {
		t.Error(diff)
	}
	if _, records := history(t, s, "a1"); len(records) != 1 {
		t.Errorf("%d records name the account that got it", len(records))
	}
	refuses(t, s, store.ErrNoAccount, func(c *store.Change) error { return c.MoveBusiness("b1", "nobody") })
	refuses(t, s, store.ErrNone, func(c *store.Change) error { return c.MoveBusiness("b4", "a1") })
}

func changedDomain(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	for _, d := range []account.Domain{{Name: "one.example"}, {Name: "two.example", Default: true}, {Name: "three.example"}} {
		change(t, s, func(c *store.Change) error { return c.AddDomain(d) })
	}
	change(t, s, func(c *store.Change) error {
		a := newcomer("somebody")
		a.Domain = "Two.Example"
		_, err := c.AddAccount(a)
		return errors.Join(err, c.SetDomain("TWO.example", func(d *account.Domain) { d.Name, d.Disabled = "other", true }))
	})
	refuses(t, s, store.ErrTaken, func(c *store.Change) error { return c.AddDomain(account.Domain{Name: "ONE.example"}) })
	refuses(t, s, store.ErrHeld, func(c *store.Change) error { return c.RemoveDomain("two.example") })
	refuses(t, s, store.ErrNone, func(c *store.Change) error { return c.RemoveDomain("four.example") })
	change(t, s, func(c *store.Change) error { return c.RemoveDomain("one.example") })
	domains, all, err := s.Accounts(t.Context())
	ok(t, err)
	want := []account.Domain{{Name: "three.example"}, {Name: "two.example", Default: true, Disabled: true}}
	if diff := cmp.Diff(want, domains); diff != "" {
		t.Error(diff)
	}
	if len(all) != 1 || all[0].Domain != "two.example" || all[0].Epoch != 1 || all[0].Disabled {
		t.Errorf("accounts %+v", all)
	}
}

func changedWorld(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	ctx := t.Context()
	report := credit.Report{Source: 1, Score: 512, Grade: "C2", Made: time.UnixMicro(1_750_000_000_000_001).UTC()}
	change(t, s, func(c *store.Change) error {
		return errors.Join(c.SetPrice("sms", 7), c.PutSetting("x", "1"), c.PutSecret("y", []byte("old")), c.PutSecret("y", []byte("new")),
			c.AddPerson(Somebody(1)), c.AddReports(Code(1), []credit.Report{report}))
	})
	moved := Somebody(1)
	moved.LastName = "دیگر"
	refuses(t, s, store.ErrTaken, func(c *store.Change) error { return c.AddPerson(moved) })
	change(t, s, func(c *store.Change) error {
		secret, err := c.Secret("y")
		nothing, err2 := c.Secret("z")
		value, found, err3 := c.Setting("x")
		there, err4 := c.HasPerson(Code(1))
		reports, err5 := c.Reports(Code(1))
		if string(secret) != "new" || nothing != nil || value != "1" || !found || !there || reports != 1 {
			t.Errorf("%q %q %q %v %v %d", secret, nothing, value, found, there, reports)
		}
		return errors.Join(err, err2, err3, err4, err5, c.SetPerson(moved), c.SetPerson(Somebody(2)))
	})
	if p := must(s.Person(ctx, Code(1))); p.LastName != "دیگر" || must(s.Prices(ctx))["sms"] != 7 {
		t.Error("what was changed is as before")
	}
	if secret := must(s.Secret(ctx, "y", func() []byte { return nil })); string(secret) != "new" {
		t.Errorf("%q", secret)
	}
	_, records := history(t, s, "")
	if len(records) != 2 || !slices.Equal(records[0].Subject, s.Keyring().Hash(audit.SubjectHash, Code(1).Digits())) {
		t.Error("the record does not name whom it is about")
	} else if len(records[1].Subject) != 0 {
		t.Error("the record of a change of two people names one of them")
	}
	change(t, s, func(c *store.Change) error { return errors.Join(c.RemovePerson(Code(1)), c.RemoveReports(Code(1))) })
	if _, err := s.Person(ctx, Code(1)); !refused(err, fault.NotFound) || len(must(s.Reports(ctx, Code(1)))) != 0 {
		t.Errorf("removed: %v", err)
	}
	refuses(t, s, store.ErrNone, func(c *store.Change) error { return c.RemovePerson(Code(1)) })
	refuses(t, s, store.ErrNone, func(c *store.Change) error { return c.RemoveReports(Code(1)) })
}

// nameRace is CON-6: of many who want one name at once one gets it.
func nameRace(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1)
	const n = 50
	for name, do := range map[string]func(c *store.Change, i int) error{
		"account": func(c *store.Change, i int) error {
			_, err := c.AddAccount(newcomer([]string{"wanted", "WANTED", " wanted"}[i%3]))
			return err
		},
		"client": func(c *store.Change, i int) error {
			return c.AddClient("a0", account.Client{ID: "wanted", SecretHash: [32]byte{byte(i)}})
		},
		"business": func(c *store.Change, i int) error { return c.AddBusiness("a0", account.Business{ID: "wanted"}) },
		"line": func(c *store.Change, i int) error {
			return c.AddLine("a0", account.Line{Number: []string{"", "98", "0098", "+98"}[i%4] + "3000555"})
		},
		"domain": func(c *store.Change, i int) error {
			return c.AddDomain(account.Domain{Name: []string{"wanted", "Wanted"}[i%2]})
		},
		"person": func(c *store.Change, i int) error { return c.AddPerson(Somebody(7)) },
	} {
		won := 0
		for i, err := range Together(n, func(i int) error {
			return s.Change(t.Context(), act, func(c *store.Change) error { return do(c, i) })
		}) {
			if err == nil {
				won++
			} else if !errors.Is(err, store.ErrTaken) {
				t.Errorf("%s %d: %v", name, i, err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d got it", name, won)
		}
	}
	if got := trailLength(t, s); got != 6 {
		t.Errorf("%d records of 6 changes", got)
	}
	for _, err := range Together(n, func(i int) error {
		return s.Change(t.Context(), act, func(c *store.Change) error {
			_, err := c.AddAccount(newcomer("user-" + strconv.Itoa(i)))
			return err
		})
	}) {
		ok(t, err)
	}
	_, all, err := s.Accounts(t.Context())
	ok(t, err)
	for i, a := range all {
		if a.Number != int64(i+1) {
			t.Fatalf("account %d has number %d", i, a.Number)
		}
	}
}

func changesBesideCalls(t *testing.T, place Place) {
	s := Must(t, place, store.Options{GroupMax: 4})
	Fund(t, s, 1000)
	const each = 30
	for _, err := range Together(6, func(caller int) error {
		for i := range each {
			name := strconv.Itoa(caller) + "-" + strconv.Itoa(i)
			var err error
			if caller == 0 {
				err = s.Change(t.Context(), act, func(c *store.Change) error { return c.AddClient("a0", account.Client{ID: name}) })
			} else {
				err = s.Commit(t.Context(), Charge(name, "a0", 1))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}) {
		ok(t, err)
	}
	_, records := history(t, s, "a0")
	for i, r := range records {
		if r.Seq != int64(i+1) {
			t.Fatalf("record %d has number %d", i, r.Seq)
		}
	}
	if len(records) != 6*each || len(one(t, s, "a0").Clients) != each {
		t.Errorf("%d records, %d clients", len(records), len(one(t, s, "a0").Clients))
	}
	Balanced(t, s, "a0")
}
