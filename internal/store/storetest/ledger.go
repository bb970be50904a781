package storetest

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

// intent is the beginning of a call that goes outside and may cost price.
func intent(call, from string, price rial.Amount, deadline time.Time) closing.Intent {
	return closing.Intent{
		Record:      Charge(call, from, 0).Record,
		Reservation: ledger.Reservation{Account: from, Amount: price, Deadline: deadline},
	}
}

// back is the end of a call that reserved held and owes price.
func back(call, from string, price, held rial.Amount) closing.Closing {
	c := Charge(call, from, price)
	c.Charge.Held = held
	return c
}

// Even checks that all accounts together are 0, and that each wallet and each
// house account is the sum of its entries.
func Even(t checker, s *store.Store) {
	t.Helper()
	problems, err := s.Audit(context.Background())
	ok(t, err)
	if len(problems) > 0 {
		t.Fatalf("the books are not even: %v", problems)
	}
}

type movement struct {
	Kind   ledger.Kind
	Amount rial.Amount
}

func movements(t checker, s *store.Store, of string) (all []movement) {
	t.Helper()
	entries, _ := history(t, s, of)
	for _, e := range entries {
		all = append(all, movement{e.Kind, e.Amount})
	}
	return all
}

func reservations(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100)
	later := time.Now().Add(time.Hour)
	ok(t, s.Reserve(t.Context(), intent("paid", "a0", 40, later)))
	if got := Balance(t, s, "a0"); got != 60 {
		t.Fatalf("balance %d while 40 are held", got)
	}
	if err := s.Reserve(t.Context(), intent("poor", "a0", 61, later)); !refused(err, fault.Credit) {
		t.Fatalf("61 reserved of 60: %v", err)
	}
	ok(t, s.Reserve(t.Context(), intent("part", "a0", 30, later)))
	ok(t, s.Reserve(t.Context(), intent("free", "a0", 20, later)))
	ok(t, s.Commit(t.Context(), back("paid", "a0", 40, 40)))
	ok(t, s.Commit(t.Context(), back("part", "a0", 10, 30)))
	ok(t, s.Commit(t.Context(), back("free", "a0", 0, 20)))
	want := []movement{
		{ledger.Opening, 100}, {ledger.Reserve, -40}, {ledger.Reserve, -30}, {ledger.Reserve, -20},
		{ledger.Release, 20}, {ledger.Release, 20},
	}
	if diff := cmp.Diff(want, movements(t, s, "a0")); diff != "" {
		t.Error(diff)
	}
	if got := Balance(t, s, "a0"); got != 50 {
		t.Errorf("balance %d, want 50", got)
	}
	_, records := history(t, s, "a0")
	if len(records) != 4 { // a reservation is no record: its end is
		t.Errorf("%d records", len(records))
	}
	Even(t, s)
}

// overdueReservations are given back once, and a call that comes back after
// that pays as any other.
func overdueReservations(t *testing.T, place Place) {
	now := time.Now()
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	Fund(t, s, 100)
	key := &closing.Key{ID: [32]byte{1}, Body: [32]byte{2}}
	lost := intent("lost", "a0", 40, now.Add(time.Minute))
	lost.Key = key
	ok(t, s.Reserve(t.Context(), lost))
	ok(t, s.Reserve(t.Context(), intent("late", "a0", 30, now.Add(time.Minute))))
	ok(t, s.Reserve(t.Context(), intent("under way", "a0", 10, now.Add(time.Hour))))
	if n, err := s.Release(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d released before their time: %v", n, err)
	}
	if kept, found, err := s.Kept(t.Context(), key.ID); !found || !kept.Open || err != nil {
		t.Fatalf("the key of a call outside: %v, %v, %v", kept, found, err)
	}
	now = now.Add(2 * time.Minute)
	for _, want := range []int{2, 0} {
		if n, err := s.Release(t.Context()); n != want || err != nil {
			t.Fatalf("%d released, want %d: %v", n, want, err)
		}
	}
	if _, found, err := s.Kept(t.Context(), key.ID); found || err != nil {
		t.Errorf("the key of a call that was lost is still taken: %v", err)
	}
	ok(t, s.Commit(t.Context(), back("late", "a0", 30, 30)))
	if got := Balance(t, s, "a0"); got != 60 {
		t.Errorf("balance %d, want 100 less 10 that are held and 30 that were paid late", got)
	}
	_, records := history(t, s, "a0")
	outcomes := map[string]int{}
	for _, r := range records {
		outcomes[r.Outcome]++
	}
	if diff := cmp.Diff(map[string]int{store.Unresolved: 2, "answered": 1}, outcomes); diff != "" {
		t.Error(diff)
	}
	Even(t, s)
}

func keys(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	keyed := func(call string, body byte) closing.Closing {
		c := Charge(call, "a0", 10)
		c.Key = &closing.Key{ID: [32]byte{9}, Body: [32]byte{body}, Answer: []byte("answer of " + call)}
		return c
	}
	var first string
	for i, err := range Together(50, func(i int) error { return s.Commit(t.Context(), keyed("c"+strconv.Itoa(i), 1)) }) {
		if r := closing.AsRepeated(err); r != nil {
			if r.Kept.Body != [32]byte{1} || r.Kept.Open {
				t.Fatalf("%+v", r.Kept)
			}
			continue
		}
		ok(t, err)
		if first != "" {
			t.Fatalf("%s and c%d were both answered", first, i)
		}
		first = "c" + strconv.Itoa(i)
	}
	kept, found, err := s.Kept(t.Context(), [32]byte{9})
	if err != nil || !found || string(kept.Answer) != "answer of "+first {
		t.Errorf("kept is %q of %s: %v", kept.Answer, first, err)
	}
	if r := closing.AsRepeated(s.Commit(t.Context(), keyed("other", 2))); r == nil || string(r.Kept.Answer) != "answer of "+first {
		t.Errorf("another body: %v", r)
	}
	_, records := history(t, s, "a0")
	outcomes := map[string]int{}
	for _, r := range records {
		outcomes[r.Outcome+" "+r.Price.String()]++
	}
	if diff := cmp.Diff(map[string]int{"answered 10": 1, "answered 0": 49, "key-reused 0": 1}, outcomes); diff != "" {
		t.Error(diff)
	}
	if got := Balance(t, s, "a0"); got != 990 {
		t.Errorf("balance %d: one charge of 10 from 1000", got)
	}
	Even(t, s)
}

// keysOutside: while a call is outside its key is taken; when it is answered
// the key has the answer; when it is not the key is free again.
func keysOutside(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	key := func(answer string) *closing.Key {
		return &closing.Key{ID: [32]byte{7}, Body: [32]byte{1}, Answer: []byte(answer)}
	}
	out := func(call string) error {
		i := intent(call, "a0", 10, time.Now().Add(time.Hour))
		i.Key = key("")
		return s.Reserve(t.Context(), i)
	}
	home := func(call, answer string, price rial.Amount) error {
		c := back(call, "a0", price, 10)
		c.Key = key(answer)
		return s.Commit(t.Context(), c)
	}
	ok(t, out("one"))
	if r := closing.AsRepeated(out("two")); r == nil || !r.Kept.Open {
		t.Fatalf("a second call went outside under the key: %v", r)
	}
	ok(t, home("one", "", 0)) // no answer
	ok(t, out("three"))
	ok(t, home("three", "the answer", 10))
	if r := closing.AsRepeated(out("four")); r == nil || r.Kept.Open || string(r.Kept.Answer) != "the answer" {
		t.Fatalf("%v", r)
	}
	if got := Balance(t, s, "a0"); got != 990 {
		t.Errorf("balance %d, want 990", got)
	}
	Even(t, s)
}

// erasedKeys: an answer that was erased is gone, and its key is not free for it.
func erasedKeys(t *testing.T, place Place) {
	now := time.Now()
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	Fund(t, s, 1000)
	keyed := func(call string, id byte) error {
		c := Charge(call, "a0", 10)
		c.Key = &closing.Key{ID: [32]byte{id}, Body: [32]byte{1}, Answer: []byte("somebody's name")}
		return s.Commit(t.Context(), c)
	}
	ok(t, keyed("old", 1))
	now = now.Add(time.Hour)
	ok(t, keyed("young", 2))
	if _, err := s.Erase(t.Context(), now, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if r := closing.AsRepeated(keyed("again", 1)); r == nil || len(r.Kept.Answer) > 0 {
		t.Errorf("the erased answer: %v", r)
	}
	if r := closing.AsRepeated(keyed("again", 2)); r == nil || len(r.Kept.Answer) == 0 {
		t.Errorf("the young answer: %v", r)
	}
	if got := Balance(t, s, "a0"); got != 980 {
		t.Errorf("balance %d, want 980", got)
	}
}

func operations(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100, 0)
	ok(t, s.Commit(t.Context(), Charge("call", "a0", 60)))
	ok(t, s.Reserve(t.Context(), intent("outside", "a0", 30, time.Now().Add(time.Hour))))
	ok(t, s.Commit(t.Context(), back("outside", "a0", 20, 30)))
	op := func(id string, kind ledger.Kind, account string, amount rial.Amount, refers string) error {
		return s.Operate(t.Context(), ledger.Operation{
			ID: id, Kind: kind, Account: account, Amount: amount, Actor: "somebody", Reason: "a reason", Refers: refers,
		})
	}
	for _, c := range []struct {
		id      string
		kind    ledger.Kind
		account string
		amount  rial.Amount
		refers  string
		want    error
	}{
		{"1", ledger.TopUp, "a0", 1000, "", nil},
		{"1", ledger.TopUp, "a0", 1000, "", store.ErrDone},
		{"2", ledger.TopUp, "nobody", 1000, "", store.ErrNoAccount},
		{"3", ledger.Refund, "a0", 50, "call", nil},
		{"4", ledger.Refund, "a0", 11, "call", store.ErrNoCharge},
		{"5", ledger.Refund, "a0", 0, "call", nil}, // the 10 that are left
		{"6", ledger.Refund, "a0", 1, "call", store.ErrNoCharge},
		{"6", ledger.Refund, "a0", 0, "call", store.ErrNoCharge},
		{"7", ledger.Refund, "a1", 1, "call", store.ErrNoCharge},
		{"8", ledger.Refund, "a0", 21, "outside", store.ErrNoCharge},
		{"9", ledger.Refund, "a0", 20, "outside", nil},
		{"10", ledger.Correction, "a0", -1101, "", store.ErrBelowZero},
		{"11", ledger.Correction, "a0", -1100, "", nil},
		{"12", ledger.Correction, "a1", 5, "", nil},
	} {
		if err := op(c.id, c.kind, c.account, c.amount, c.refers); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.id, err, c.want)
		}
	}
	if a, b := Balance(t, s, "a0"), Balance(t, s, "a1"); a != 0 || b != 5 {
		t.Errorf("balances %d and %d, want 0 and 5", a, b)
	}
	for _, err := range Together(20, func(i int) error { return op("same", ledger.TopUp, "a1", 7, "") }) {
		if err != nil && !errors.Is(err, store.ErrDone) {
			t.Error(err)
		}
	}
	if b := Balance(t, s, "a1"); b != 12 {
		t.Errorf("balance %d after the same top-up of 7 twenty times, want 12", b)
	}
	Even(t, s)
}

func badOperations(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100)
	good := ledger.Operation{ID: "1", Account: "a0", Kind: ledger.Refund, Amount: 1, Actor: "x", Reason: "y", Refers: "z"}
	for name, spoil := range map[string]func(*ledger.Operation){
		"no id":      func(o *ledger.Operation) { o.ID = "" },
		"no account": func(o *ledger.Operation) { o.Account = "" },
		"no actor":   func(o *ledger.Operation) { o.Actor = "" },
		"no reason":  func(o *ledger.Operation) { o.Reason = "" },
		"no call":    func(o *ledger.Operation) { o.Refers = "" },
		"nothing":    func(o *ledger.Operation) { o.Amount, o.Kind = 0, ledger.TopUp },
		"negative":   func(o *ledger.Operation) { o.Amount = -1 },
	} {
		op := good
		spoil(&op)
		if err := s.Operate(t.Context(), op); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if entries, records := history(t, s, "a0"); len(entries) != 1 || len(records) != 0 {
		t.Errorf("%d entries, %d records", len(entries), len(records))
	}
}

// money holds any order of movements against a model.
func money(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		of := "m" + strconv.Itoa(round)
		balance := rial.Amount(rapid.Int64Range(0, 100).Draw(t, "balance"))
		ok(t, s.PutAccounts(context.Background(), []store.Account{{Balance: balance, Account: account.Account{
			ID: of, Number: int64(1000 + round), Domain: "example", Username: of,
		}}}))
		held := map[string]rial.Amount{}
		for i := range rapid.IntRange(1, 25).Draw(t, "steps") {
			id := of + "/" + strconv.Itoa(i)
			amount := rial.Amount(rapid.Int64Range(1, 60).Draw(t, "amount"))
			var err error
			covered := amount <= balance
			switch step := rapid.SampledFrom([]string{"charge", "reserve", "close", "topup", "correct"}).Draw(t, "step"); step {
			case "charge":
				if err = s.Commit(context.Background(), Charge(id, of, amount)); covered {
					balance -= amount
				}
			case "reserve":
				if err = s.Reserve(context.Background(), intent(id, of, amount, time.Now().Add(time.Hour))); covered {
					balance -= amount
					held[id] = amount
				}
			case "close":
				covered = true
				for call, h := range held {
					price := min(amount, h)
					err = s.Commit(context.Background(), back(call, of, price, h))
					balance += h - price
					delete(held, call)
					break
				}
			case "topup":
				covered = true
				err = s.Operate(context.Background(), ledger.Operation{ID: id, Account: of, Kind: ledger.TopUp, Amount: amount, Actor: "x"})
				balance += amount
			case "correct":
				if err = s.Operate(context.Background(), ledger.Operation{
					ID: id, Account: of, Kind: ledger.Correction, Amount: -amount, Actor: "x", Reason: "y",
				}); covered {
					balance -= amount
				}
			}
			if covered != (err == nil) {
				t.Fatalf("%d of %d: %v", amount, balance, err)
			}
			if got := Balance(t, s, of); got != balance {
				t.Fatalf("balance %d, want %d", got, balance)
			}
		}
		Balanced(t, s, of)
	})
	Even(t, s)
}
