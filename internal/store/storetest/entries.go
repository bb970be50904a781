package storetest

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	ok(t, s.Commit(t.Context(), Charge("c1", "a0", 30)))
	ok(t, s.Commit(t.Context(), Charge("c1", "a1", 99)))
	clock.forward(time.Hour)
	ok(t, s.Operate(t.Context(), ledger.Operation{ID: "o1", Account: "a0", Kind: ledger.TopUp, Amount: 50, Actor: "ali"}))
	clock.forward(time.Hour)
	ok(t, s.Operate(t.Context(), ledger.Operation{ID: "o2", Account: "a0", Kind: ledger.Refund, Amount: 10, Actor: "ali", Reason: "r", Refers: "c1"}))

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
	send := Sending(t, s, "send", "a0", 2, func(b *sms.Batch) { b.At = clock.now() })
	ok(t, s.Commit(t.Context(), send))
	ok(t, s.Commit(t.Context(), Charge("c2", "a0", 5)))
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
