package storetest

import (
	"testing"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
)

// lateAnswers: an answer that comes after its part was given up gives receipts
// their message, and ends the doubt.
func lateAnswers(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	once := func(b *sms.Batch) { b.Once = true }
	codes, plain := sendNow(t, s, "codes", "a0", 5, once), sendNow(t, s, "plain", "a0", 3)
	late := func(message int64, number, total int, id string) {
		t.Helper()
		ok(t, s.Lates(t.Context(), []operator.Late{
			{Operator: "mci", Message: message, Number: number, Total: total, ID: id, Refused: id == "", At: time.Now()},
		}))
	}
	record := func(message int64, state sms.State, doubt bool, ids ...string) {
		t.Helper()
		r := result(codes, message, ids...)
		r.State, r.Doubt = state, doubt
		ok(t, s.Record(t.Context(), []sms.Result{r}))
	}

	// Taken: before and after the doubt is on record, the receipt before or after.
	record(codes, sms.Unknown, false)
	late(codes, 1, 1, "a1")
	late(codes+1, 1, 1, "a2")
	record(codes+1, sms.Unknown, false)
	wantStates(t, s, "taken", "a0", []int64{codes, codes + 1}, sms.Submitted, sms.Submitted)
	delivered(t, s, "a1", "a2", "a3")
	record(codes+2, sms.Unknown, false)
	late(codes+2, 1, 1, "a3")
	wantStates(t, s, "with receipts", "a0", []int64{codes, codes + 1, codes + 2}, sms.Delivered, sms.Delivered, sms.Delivered)

	// Refused: what is not sent again costs nothing, once.
	before := Balance(t, s, "a0")
	record(codes+3, sms.Unknown, false)
	late(codes+3, 1, 1, "")
	late(codes+3, 1, 1, "")
	record(codes+4, sms.Unknown, false, "a4")
	late(codes+4, 2, 2, "")
	late(plain, 1, 1, "")
	wantStates(t, s, "refused", "a0", []int64{codes + 3, codes + 4, plain}, sms.Failed, sms.Rejected, sms.Queued)
	if got := Balance(t, s, "a0") - before; got != 10 {
		t.Errorf("%d given back of one refused message", got)
	}

	// What was sent again meanwhile is marked, and either receipt ends it.
	late(plain+1, 1, 1, "b1")
	record(plain+1, sms.Submitted, true, "b2")
	late(plain+2, 1, 2, "c1")
	wantStates(t, s, "sent again", "a0", []int64{plain + 1, plain + 2}, sms.Submitted, sms.Queued)
	delivered(t, s, "b1")
	got, err := s.Messages(t.Context(), "a0", []int64{plain + 1})
	if ok(t, err); got[0].State != sms.Delivered || !got[0].Doubt {
		t.Errorf("state %d, doubt %v", got[0].State, got[0].Doubt)
	}
	late(1<<40, 1, 1, "nobody's")
	Even(t, s)
}

func delivered(t *testing.T, s *store.Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt(id, sms.Delivered)}))
	}
}
