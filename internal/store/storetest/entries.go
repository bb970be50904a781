package storetest

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
)

func walletEntries(t *testing.T, place Place) {
	clock := newClock()
	s := Must(t, place, store.Options{Now: clock.now})
	Fund(t, s, 100, 100)
	began := clock.now()
	first := closing.NewID(began)
	ok(t, s.Commit(t.Context(), Charge(first, "a0", 30)))
	ok(t, s.Commit(t.Context(), Charge(first, "a1", 99)))
	clock.forward(time.Hour)
	ok(t, s.Operate(t.Context(), ledger.Operation{ID: "o1", Account: "a0", Kind: ledger.TopUp, Amount: 50, Actor: "ali"}))
	clock.forward(time.Hour)
	ok(t, s.Operate(t.Context(), ledger.Operation{ID: "o2", Account: "a0", Kind: ledger.Refund, Amount: 10, Actor: "ali", Reason: "r", Refers: first}))

	entry := func(after time.Duration, kind ledger.Kind, amount, balance rial.Amount) ledger.Entry {
		return ledger.Entry{At: began.Add(after), Kind: kind, Amount: amount, Balance: balance}
	}
	opening, charge := entry(0, ledger.Opening, 100, 100), entry(0, ledger.Charge, -30, 70)
	topUp, refund := entry(time.Hour, ledger.TopUp, 50, 120), entry(2*time.Hour, ledger.Refund, 10, 130)
	for i, c := range []struct {
		query ledger.Query
		want  []ledger.Entry
	}{
		{ledger.Query{Limit: 9}, []ledger.Entry{refund, topUp, charge, opening}},
		{ledger.Query{Limit: 2}, []ledger.Entry{refund, topUp}},
		{ledger.Query{Limit: 9, From: began.Add(time.Hour), Until: began.Add(2 * time.Hour)}, []ledger.Entry{topUp}},
		{ledger.Query{Limit: 9, Kinds: []ledger.Kind{ledger.Opening, ledger.TopUp}}, []ledger.Entry{topUp, opening}},
		{ledger.Query{Limit: 1, Kinds: []ledger.Kind{ledger.Charge}, Until: began.Add(time.Hour)}, []ledger.Entry{charge}},
		{ledger.Query{Limit: 9, Messages: true}, nil},
	} {
		c.query.Account = "a0"
		got, err := s.Entries(t.Context(), c.query)
		ok(t, err)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("query %s: %s", strconv.Itoa(i+1), diff)
		}
	}
	send := Sending(t, s, closing.NewID(clock.now()), "a0", 2, func(b *sms.Batch) { b.At = clock.now() })
	ok(t, s.Commit(t.Context(), send))
	ok(t, s.Commit(t.Context(), Charge(closing.NewID(clock.now()), "a0", 5)))
	sent := entry(2*time.Hour, ledger.Charge, -send.Charge.Amount, 130-send.Charge.Amount)
	sent.Messages = true
	other := entry(2*time.Hour, ledger.Charge, -5, sent.Balance-5)
	for _, messages := range []bool{false, true} {
		want := map[bool][]ledger.Entry{false: {other, sent, charge}, true: {sent}}[messages]
		got, err := s.Entries(t.Context(), ledger.Query{Account: "a0", Kinds: []ledger.Kind{ledger.Charge}, Messages: messages, Limit: 9})
		ok(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of messages alone %t: %s", messages, diff)
		}
	}
	for _, bad := range []ledger.Query{{Limit: 1}, {Account: "a0"}} {
		if _, err := s.Entries(t.Context(), bad); err == nil {
			t.Errorf("%+v is answered", bad)
		}
	}
}

// anyEntries: whatever happened, and however long each call took, any page is
// what the account's whole history says.
func anyEntries(t *testing.T, place Place) {
	clock := newClock()
	s := Must(t, place, store.Options{Now: clock.now})
	Fund(t, s, 1_000_000, 1_000_000)
	random := rand.New(rand.NewPCG(1, 2))
	began := clock.now()
	for i := range 120 {
		clock.forward(time.Duration(random.IntN(40)) * time.Second)
		call := closing.NewID(clock.now().Add(-time.Duration(random.IntN(50)) * time.Second))
		ok(t, s.Commit(t.Context(), Charge(call, "a1", 1)))
		switch i % 6 {
		case 0:
			ok(t, s.Operate(t.Context(), ledger.Operation{ID: "topup-" + call, Account: "a0", Kind: ledger.TopUp, Amount: 5, Actor: "ali"}))
		case 1:
			held := ledger.Reservation{Account: "a0", Amount: 9, Deadline: clock.now().Add(time.Minute)}
			ok(t, s.Reserve(t.Context(), closing.Intent{Record: Charge(call, "a0", 0).Record, Reservation: held}))
			if i%12 == 1 {
				end := Charge(call, "a0", 4)
				end.Charge.Held = 9
				ok(t, s.Commit(t.Context(), end))
			}
		default:
			ok(t, s.Commit(t.Context(), Charge(call, "a0", 3)))
		}
		if i%5 == 4 {
			ok(t, s.Operate(t.Context(), ledger.Operation{
				ID: "refund-" + call, Account: "a0", Kind: ledger.Correction, Amount: -2, Actor: "ali", Reason: "r",
			}))
		}
	}
	history, _, err := s.History(t.Context(), "a0")
	ok(t, err)
	slices.Reverse(history)
	for i := range 200 {
		q := ledger.Query{Account: "a0", Limit: 1 + random.IntN(60)}
		for _, kind := range ledger.Kinds() {
			if i%3 > 0 && random.IntN(3) == 0 {
				q.Kinds = append(q.Kinds, kind)
			}
		}
		if i%2 > 0 {
			q.From = began.Add(time.Duration(random.IntN(2400)) * time.Second)
			q.Until = q.From.Add(time.Duration(random.IntN(1800)) * time.Second)
		}
		var want []ledger.Entry
		for _, e := range history {
			if len(want) < q.Limit && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind)) && !e.At.Before(q.From) && (q.Until.IsZero() || e.At.Before(q.Until)) {
				want = append(want, ledger.Entry{At: e.At, Kind: e.Kind, Amount: e.Amount, Balance: e.Balance})
			}
		}
		got, err := s.Entries(t.Context(), q)
		ok(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v: %s", q, diff)
		}
	}
}
