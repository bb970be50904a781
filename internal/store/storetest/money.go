package storetest

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

func creditRace(t *testing.T, place Place) {
	const callers, covered, price = 500, 100, 7
	s := Must(t, place, store.Options{GroupMax: 64})
	Fund(t, s, covered*price+price-1)
	errs := Together(callers, func(i int) error {
		return s.Commit(t.Context(), Charge("c"+strconv.Itoa(i), "a0", price))
	})
	charged := 0
	for _, err := range errs {
		if err == nil {
			charged++
		} else if !refused(err, fault.Credit) {
			t.Fatal(err)
		}
	}
	entries, records := history(t, s, "a0")
	got := []int{charged, len(entries) - 1, len(records), int(Balance(t, s, "a0"))}
	if diff := cmp.Diff([]int{covered, covered, callers, price - 1}, got); diff != "" {
		t.Errorf("charged, entries, records, balance: %s", diff)
	}
	Balanced(t, s, "a0")
}

func repeatedClose(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100, 100)
	for range 3 {
		ok(t, s.Commit(t.Context(), Charge("once", "a0", 30)))
	}
	ok(t, s.Commit(t.Context(), Charge("once", "a1", 30))) // another account's call of the same name is another call
	entries, records := history(t, s, "a0")
	if len(entries) != 2 || len(records) != 1 || Balance(t, s, "a0") != 70 || Balance(t, s, "a1") != 70 {
		t.Errorf("%d entries, %d records, balances %d and %d", len(entries), len(records), Balance(t, s, "a0"), Balance(t, s, "a1"))
	}
	Balanced(t, s, "a0")
}

func repeatedTogether(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	for _, err := range Together(100, func(i int) error {
		return s.Commit(t.Context(), Charge("c"+strconv.Itoa(i%10), "a0", 10))
	}) {
		ok(t, err)
	}
	entries, _ := history(t, s, "a0")
	if len(entries) != 11 || Balance(t, s, "a0") != 900 {
		t.Errorf("%d entries, balance %d, want 11 and 900", len(entries), Balance(t, s, "a0"))
	}
	Balanced(t, s, "a0")
}

func refusedCharge(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 10)
	for _, c := range []struct {
		call, account string
	}{{"poor", "a0"}, {"nobody", "a9"}} {
		shown := Charge(c.call, c.account, 11)
		if err := s.Commit(t.Context(), shown); !refused(err, fault.Credit) {
			t.Fatalf("%s: %v", c.call, err)
		}
		want := shown.Record
		want.Outcome, want.Price = fault.Credit.String(), 0
		_, records := history(t, s, c.account)
		if diff := cmp.Diff([]audit.Record{want}, bare(records), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s: %s", c.call, diff)
		}
	}
	if Balance(t, s, "a0") != 10 {
		t.Errorf("balance %d after a refused charge of 11 from 10", Balance(t, s, "a0"))
	}
}

func badCharge(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 10)
	for name, c := range map[string]struct {
		call   string
		amount rial.Amount
	}{"negative": {"c", -1}, "without a call": {"", 1}} {
		if err := s.Commit(t.Context(), Charge(c.call, "a0", c.amount)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if entries, records := history(t, s, "a0"); len(entries) != 1 || len(records) != 0 {
		t.Errorf("%d entries, %d records", len(entries), len(records))
	}
}

// unbrokenTrail mixes answered, refused and free calls of several accounts.
func unbrokenTrail(t *testing.T, place Place) {
	s := Must(t, place, store.Options{GroupMax: 16})
	Fund(t, s, 1000, 5, 0)
	errs := Together(300, func(i int) error {
		return s.Commit(t.Context(), Charge(strconv.Itoa(i), "a"+strconv.Itoa(i%3), rial.Amount(i%2)))
	})
	for _, err := range errs {
		if err != nil && !refused(err, fault.Credit) {
			t.Fatal(err)
		}
	}
	seen := map[int64]bool{}
	for _, of := range []string{"a0", "a1", "a2"} {
		_, records := history(t, s, of)
		for i, r := range records {
			if seen[r.Seq] = true; i > 0 && r.Seq <= records[i-1].Seq {
				t.Fatalf("record %d comes after %d", r.Seq, records[i-1].Seq)
			}
		}
	}
	for seq := int64(1); seq <= 300; seq++ {
		if !seen[seq] {
			t.Errorf("there is no record %d", seq)
		}
	}
}

// books holds any order of charges, some of them repeated, against a model.
func books(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		of := "round" + strconv.Itoa(round)
		balance := rial.Amount(rapid.Int64Range(0, 100).Draw(t, "balance"))
		if err := s.PutAccounts(context.Background(), []store.Account{{Balance: balance, Account: account.Account{
			ID: of, Number: int64(round), Domain: "example", Username: of,
		}}}); err != nil {
			t.Fatal(err)
		}
		charged := map[string]bool{}
		for range rapid.IntRange(1, 20).Draw(t, "calls") {
			call := strconv.Itoa(rapid.IntRange(1, 10).Draw(t, "call"))
			price := rial.Amount(rapid.Int64Range(0, 60).Draw(t, "price"))
			covered := price == 0 || charged[call] || price <= balance
			err := s.Commit(context.Background(), Charge(call, of, price))
			if covered && err != nil || !covered && !refused(err, fault.Credit) {
				t.Fatalf("%d from %d, charged before: %v: %v", price, balance, charged[call], err)
			}
			if covered && price > 0 && !charged[call] {
				balance -= price
				charged[call] = true
			}
			if got := Balance(t, s, of); got != balance {
				t.Fatalf("balance %d, want %d", got, balance)
			}
		}
		Balanced(t, s, of)
	})
}

func closed(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	errs := Together(50, func(i int) error {
		if i == 25 {
			return s.Close()
		}
		return s.Commit(context.Background(), Charge(strconv.Itoa(i), "a0", 1))
	})
	answered := 0
	for i, err := range errs {
		switch {
		case i == 25:
			ok(t, err)
		case err == nil:
			answered++
		case !errors.Is(err, store.ErrClosed):
			t.Fatal(err)
		}
	}
	if err := s.Commit(context.Background(), Charge("late", "a0", 1)); !errors.Is(err, store.ErrClosed) {
		t.Fatalf("a closed store took a closing: %v", err)
	}
	again := Must(t, place, store.Options{})
	if entries, _ := history(t, again, "a0"); len(entries) != 1+answered {
		t.Errorf("%d entries, want the opening and %d that were answered", len(entries), answered)
	}
}

func cancelled(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 10)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Commit(ctx, Charge("c", "a0", 1)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if entries, records := history(t, s, "a0"); len(entries) != 1 || len(records) != 0 {
		t.Errorf("%d entries, %d records", len(entries), len(records))
	}
}

func bare(records []store.Record) []audit.Record {
	var all []audit.Record
	for _, r := range records {
		all = append(all, r.Record)
	}
	return all
}
