package store_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestOthersWriteMeanwhile has a command write between the calls of a server
// that remembers what it wrote last. Each of them must be decided by what there
// is, and the books hold.
func TestOthersWriteMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		server := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, server, 100, 100)
		command, err := store.Attach(t.Context(), at, store.Options{})
		must(t, err)
		t.Cleanup(func() { must(t, command.Close()) })
		n := 0
		pay := func(amount rial.Amount, want fault.Code) {
			t.Helper()
			n++
			err := server.Commit(t.Context(), storetest.Charge("c"+strconv.Itoa(n), "a0", amount))
			if want == 0 && err != nil || want != 0 && fault.From(err).Code != want {
				t.Errorf("call %d of %d: %v", n, amount, err)
			}
		}
		move := func(kind ledger.Kind, amount rial.Amount) {
			t.Helper()
			must(t, command.Operate(t.Context(), ledger.Operation{
				ID: "op" + strconv.Itoa(n), Kind: kind, Account: "a0", Amount: amount, Actor: "tester", Reason: "a test",
			}))
		}
		settled := func() {
			for range 3 {
				pay(1, 0)
			}
		}
		settled()
		move(ledger.TopUp, 1000)
		pay(1050, 0)
		settled()
		move(ledger.Correction, -40)
		pay(5, fault.Credit)
		move(ledger.TopUp, 60)
		settled()
		// What is reserved moves money without a record.
		r := storetest.Charge("r1", "a0", 0).Record
		must(t, command.Reserve(t.Context(), closing.Intent{
			Record: r, Reservation: ledger.Reservation{Account: "a0", Amount: 50, Deadline: time.Now().Add(time.Hour)},
		}))
		pay(20, fault.Credit)
		settled()
		must(t, command.Change(t.Context(), store.Act{Actor: "tester", Service: "price", Method: "set"}, func(c *store.Change) error {
			return c.SetPrice("sms", 3)
		}))
		settled()
		alter(t, at, `UPDATE audit_head SET fence = fence + 1`) // as whoever lost a commit does
		settled()
		if err := server.Commit(t.Context(), storetest.Charge("c1", "a0", 1)); err != nil {
			t.Errorf("a call that was charged before: %v", err)
		}
		want := rial.Amount(100 - 3 + 1000 - 1050 - 3 - 40 + 60 - 3 - 50 - 3 - 3 - 3)
		if got := storetest.Balance(t, server, "a0"); got != want {
			t.Errorf("%d are left, want %d", got, want)
		}
		if problems, _, _ := verified(t, at); len(problems) > 0 {
			t.Errorf("the trail: %v", problems)
		}
		if wrong, err := server.Audit(t.Context()); err != nil || len(wrong) > 0 {
			t.Errorf("the ledger does not add up: %v %v", wrong, err)
		}
		alter(t, at, `UPDATE audit_head SET seq = seq - 1`)
		if err := server.Commit(t.Context(), storetest.Charge("late", "a0", 1)); !errors.Is(err, store.ErrTrail) {
			t.Errorf("the trail was cut: %v", err)
		}
	})
}
