package storetest

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

func people(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	const n = 5_001 // several parts, the last one short
	rich := Somebody(n)
	rich.IBANs = []store.IBAN{{
		IBAN:   must(persian.ParseIBAN("IR820540102680020817909002")),
		Cards:  []persian.Card{must(persian.ParseCard("6221061234567891"))},
		Status: "blocked",
	}}
	var told []int
	ok(t, s.PutPeople(t.Context(), People(0, n), func(n int) { told = append(told, n) }))
	ok(t, s.PutPeople(t.Context(), slices.Values([]store.Person{rich}), nil))
	if !slices.IsSorted(told) || len(told) < 2 || told[len(told)-1] != n {
		t.Errorf("progress: told %v of %d people", told, n)
	}
	for i := range n {
		want := Somebody(i).Person
		got, err := s.Person(t.Context(), want.NationalCode)
		if err != nil || got != want {
			t.Fatalf("person %d is another one: %v", i, err)
		}
	}
	got, err := s.Registered(t.Context(), rich.NationalCode)
	ok(t, err)
	if diff := cmp.Diff(rich, got, cmpopts.EquateComparable(persian.NationalCode{}, persian.Mobile{}, persian.IBAN{}, persian.Card{})); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Person(t.Context(), Code(n+1)); !refused(err, fault.NotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func peopleTwice(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	ok(t, s.PutPeople(t.Context(), People(0, 10), nil))
	moved := Somebody(3)
	moved.LastName = "دیگر"
	ok(t, s.PutPeople(t.Context(), slices.Values([]store.Person{moved}), nil))
	got, err := s.Person(t.Context(), moved.NationalCode)
	if err != nil || got != moved.Person {
		t.Errorf("the second did not take the first one's place: %v", err)
	}
	ok(t, s.PutPeople(t.Context(), People(0, 0), nil))
}

// lookedUpAtOnce has calls share their queries: each must get its own person,
// and none of those that are given up may cost another one its answer.
func lookedUpAtOnce(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	const n, callers, each = 50, 40, 50
	ok(t, s.PutPeople(t.Context(), People(0, n), nil))
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := range each {
				ctx, cancel := context.WithCancel(t.Context())
				if (caller+i)%5 == 0 {
					go cancel()
				}
				k := (caller*7 + i*i) % (2 * n) // half of them nobody
				got, err := s.Person(ctx, Code(k))
				switch {
				case errors.Is(err, context.Canceled) && ctx.Err() != nil:
				case k >= n && !refused(err, fault.NotFound):
					t.Errorf("nobody: %v", err)
				case k < n && (err != nil || got != Somebody(k).Person):
					t.Errorf("person %d is another one: %v", k, err)
				}
				cancel()
			}
		})
	}
	all.Wait()
}

func reports(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	day := func(n int) time.Time { return time.UnixMicro(1_750_000_000_000_001).UTC().AddDate(0, 0, n) }
	older, newest := credit.Report{Source: 1, Score: 512, Grade: "C2", Made: day(0)}, credit.Report{Source: 2, Score: 712, Grade: "B1", Made: day(9)}
	middle := credit.Report{Source: 3, Score: 600, Grade: "C1", Made: day(4)}
	ok(t, s.PutReports(t.Context(), Code(1), []credit.Report{older, newest}))
	ok(t, s.PutReports(t.Context(), Code(1), []credit.Report{middle}))
	ok(t, s.PutReports(t.Context(), Code(2), []credit.Report{older}))
	for i, want := range [][]credit.Report{nil, {newest, middle, older}, {older}} {
		got, err := s.Reports(t.Context(), Code(i))
		ok(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reports of person %d: %s", i, diff)
		}
	}
}

func accounts(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	domains := []account.Domain{{Name: "a.example", Default: true}, {Name: "b.example"}}
	full := account.Account{
		ID: "full", Number: 2, Domain: "b.example", Username: "کاربر", FirstName: "سارا", LastName: "آزمایشی",
		Password: "$argon2id$one", TokenPassword: "$argon2id$two", Disabled: true, Expires: time.UnixMicro(1_800_000_000_000_000).UTC(),
		TokenDays: 30, Rate: 7, Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		Grants: account.NewGrants([]string{"person", "sms/send"}),
		Lines: []account.Line{
			{Number: "30001235", Quiet: account.Hours{From: 1320, To: 420}, DayLimit: 50},
			{Number: "30001234", Suspended: true},
		},
		Clients:  []account.Client{{ID: "z", SecretHash: [32]byte{9}, PasswordGrant: true}, {ID: "c", SecretHash: [32]byte{31: 8}}},
		Business: []account.Business{{ID: "b", TokenHash: [32]byte{1, 2, 3}}},
		APIKeys:  []account.APIKey{{ID: "z", Hash: [32]byte{1}, Disabled: true}, {ID: "a", Hash: [32]byte{31: 2}}},
		Templates: []account.Template{
			{ID: "TydSt2skQE", Line: "30001235", Urgent: true, Once: true, Body: "کد شما: {code}\n{{}}"}, {ID: "ABCDEFGHIJ", Body: "{name}"},
		},
		QueryLogin: true, Prices: map[string]rial.Amount{"sms": 1200, "person": 0},
		SMS:   account.Bounds{SpendDay: -1, NumberHour: 3, PrefixHour: 40},
		Epoch: 4,
	}
	bare := account.Account{ID: "bare", Number: 1, Domain: "a.example", Username: "کاربر", TokenDays: 7, Rate: 5}
	ok(t, s.PutDomains(t.Context(), domains))
	ok(t, s.PutAccounts(t.Context(), []store.Account{{Account: full, Balance: 12}, {Account: bare}}))
	gotDomains, got, err := s.Accounts(t.Context())
	ok(t, err)
	if diff := cmp.Diff(domains, gotDomains); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]account.Account{bare, full}, got, cmp.Comparer(func(a, b account.Grants) bool {
		return slices.Equal(a.List(), b.List())
	}), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	if Balance(t, s, "full") != 12 || Balance(t, s, "bare") != 0 {
		t.Errorf("balances %d and %d", Balance(t, s, "full"), Balance(t, s, "bare"))
	}
	Balanced(t, s, "full")
}

func accountsAllOrNone(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 5)
	fresh := store.Account{Balance: 7, Account: account.Account{ID: "new", Number: 9, Domain: "example", Username: "new"}}
	for name, change := range map[string]func(*account.Account){
		"id":        func(a *account.Account) { a.ID = "a0" },
		"number":    func(a *account.Account) { a.Number = 1 },
		"user name": func(a *account.Account) { a.Username = " USER0 " },
		"no domain": func(a *account.Account) { a.Domain = "elsewhere" },
	} {
		clash := store.Account{Account: account.Account{ID: "other", Number: 10, Domain: "example", Username: "other"}}
		change(&clash.Account)
		if err := s.PutAccounts(t.Context(), []store.Account{fresh, clash}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, all, err := s.Accounts(t.Context()); err != nil || len(all) != 1 || Balance(t, s, "new") != 0 || Balance(t, s, "a0") != 5 {
		t.Errorf("%d accounts, balances %d and %d: %v", len(all), Balance(t, s, "new"), Balance(t, s, "a0"), err)
	}
	ok(t, s.Ready(t.Context())) // what was refused must not look like a broken disk
	ok(t, s.PutAccounts(t.Context(), []store.Account{fresh}))
}

func small(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	ctx := t.Context()
	if _, found, err := s.Setting(ctx, "seed"); err != nil || found {
		t.Fatalf("a setting that nobody put: %v %v", found, err)
	}
	for _, value := range []string{"1", "", "۲"} {
		ok(t, s.PutSetting(ctx, "seed", value))
		if got, found, err := s.Setting(ctx, "seed"); err != nil || !found || got != value {
			t.Errorf("setting %q: %q %v %v", value, got, found, err)
		}
	}
	ok(t, s.PutPrices(ctx, map[string]int64{"person": 12000, "sms": 1500}))
	ok(t, s.PutPrices(ctx, map[string]int64{"sms": 0}))
	prices, err := s.Prices(ctx)
	ok(t, err)
	if diff := cmp.Diff(map[string]int64{"person": 12000, "sms": 0}, prices); diff != "" {
		t.Error(diff)
	}
	secrets := make([]string, 20)
	for _, err := range Together(len(secrets), func(i int) error {
		secret, err := s.Secret(ctx, "token", func() []byte { return []byte{byte(i), 42} })
		secrets[i] = string(secret)
		return err
	}) {
		ok(t, err)
	}
	if len(slices.Compact(secrets)) != 1 || len(secrets[0]) != 2 {
		t.Errorf("the callers got different secrets: %q", secrets)
	}
	ok(t, s.WriteTally(ctx, nil))
	ok(t, s.WriteTally(ctx, map[audit.Garbage]int64{{Minute: 1, Dialect: "uid", Outcome: fault.Credentials}: 3}))
	ok(t, s.Ready(ctx))
	Close(t, s)
	if err := s.Ready(ctx); err == nil {
		t.Error("a closed store is ready")
	}
	if _, err := s.Person(ctx, Code(1)); err == nil || errors.Is(err, fault.New(fault.NotFound)) || refused(err, fault.NotFound) {
		t.Errorf("a closed store knows that nobody is there: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
