package storetest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

// sendNow sends a batch and gives the id of its first message.
func sendNow(t *testing.T, s *store.Store, call, from string, n int, edit ...func(*sms.Batch)) int64 {
	t.Helper()
	c := Sending(t, s, call, from, n, edit...)
	ok(t, s.Commit(t.Context(), c))
	return c.Batch.ID
}

// result is a message that an operator has taken, with a part for each id.
func result(batch, message int64, ids ...string) sms.Result {
	r := sms.Result{Message: message, Batch: batch, Operator: "mci", State: sms.Submitted, At: time.UnixMicro(1_800_000_000_000_000).UTC()}
	for i, id := range ids {
		r.Parts = append(r.Parts, sms.PartResult{Place: i + 1, ID: id})
	}
	return r
}

func receipt(id string, state sms.State) operator.Receipt {
	return operator.Receipt{Operator: "mci", ID: id, State: state, At: time.UnixMicro(1_800_000_100_000_000).UTC()}
}

func states(t *testing.T, s *store.Store, from string, ids ...int64) (all []sms.State) {
	t.Helper()
	messages, err := s.Messages(t.Context(), from, ids)
	ok(t, err)
	for _, m := range messages {
		all = append(all, m.State)
	}
	return all
}

func wantStates(t *testing.T, s *store.Store, what, from string, ids []int64, want ...sms.State) {
	t.Helper()
	if diff := cmp.Diff(want, states(t, s, from, ids...)); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func recorded(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	first := sendNow(t, s, "call", "a0", 4)
	ids := []int64{first, first + 1, first + 2, first + 3}
	taken, err := s.ClaimJobs(t.Context(), job.Send, "node", 9, time.Minute)
	if err != nil || len(taken) != 1 {
		t.Fatal(len(taken), err)
	}
	at := time.UnixMicro(1_800_000_000_000_000).UTC()
	some := []sms.Result{
		result(first, first, "1A"), result(first, first+1, "1B"),
		{Message: first + 2, Batch: first, State: sms.Unknown, Doubt: true, At: at},
		{Message: first + 3, Batch: first, State: sms.Queued, Doubt: true, At: at},
	}
	for range 2 {
		ok(t, s.Record(t.Context(), some))
	}
	wantStates(t, s, "recorded", "a0", ids, sms.Submitted, sms.Submitted, sms.Unknown, sms.Queued)
	messages, err := s.Messages(t.Context(), "a0", ids)
	ok(t, err)
	if m := messages[0]; m.Operator != "mci" || !m.SentAt.Equal(at) || !m.StateAt.Equal(at) || m.Doubt {
		t.Errorf("%+v", m)
	}
	if m := messages[3]; m.Operator != "" || !m.SentAt.IsZero() || !m.Doubt {
		t.Errorf("%+v", m)
	}
	// What an operator has is not taken back, and not given back.
	ok(t, s.Record(t.Context(), []sms.Result{
		{Message: first, Batch: first, State: sms.Unknown, At: at}, {Message: first + 1, Batch: first, State: sms.Failed, At: at},
		result(first, first+2, "1C"), {Message: first + 3, Batch: first, State: sms.Rejected, At: at, Done: true},
	}))
	wantStates(t, s, "again", "a0", ids, sms.Submitted, sms.Submitted, sms.Submitted, sms.Rejected)
	if got := Balance(t, s, "a0"); got != 960 {
		t.Errorf("balance %d", got)
	}
	ok(t, s.Record(t.Context(), []sms.Result{result(first, first+3, "1D"), result(first, first+3, "1D")}))
	wantStates(t, s, "after its end", "a0", ids[3:], sms.Rejected)
	ok(t, s.RetryJobs(t.Context(), job.Send, "node", []int64{first}, time.Now()))
	if taken, err = s.ClaimJobs(t.Context(), job.Send, "node", 9, time.Minute); err != nil || len(taken) != 0 {
		t.Errorf("a finished job: %v, %v", taken, err)
	}
	Even(t, s)
}

// refundedOnce: messages that no operator accepted cost nothing, however often
// and by how many that is recorded.
func refundedOnce(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000, 1000)
	first := sendNow(t, s, "call", "a0", 5, func(b *sms.Batch) { b.Cap = 60 })
	other := sendNow(t, s, "other", "a1", 2)
	failed := func(batch int64, n ...int64) (all []sms.Result) {
		for _, i := range n {
			all = append(all, sms.Result{Message: batch + i, Batch: batch, State: sms.Failed, At: time.Now()})
		}
		return all
	}
	for _, err := range Together(20, func(i int) error {
		return s.Record(t.Context(), append(failed(first, 0, int64(1+i%2)), failed(other, int64(i%2))...))
	}) {
		ok(t, err)
	}
	if a, b := Balance(t, s, "a0"), Balance(t, s, "a1"); a != 980 || b != 1000 {
		t.Errorf("balances %d and %d", a, b)
	}
	wantStates(t, s, "failed", "a0", []int64{first, first + 1, first + 2, first + 3}, sms.Failed, sms.Failed, sms.Failed, sms.Queued)
	back := 0
	for _, m := range movements(t, s, "a0")[2:] {
		if m.Kind != ledger.Refund {
			t.Errorf("%+v", m)
		}
		back += int(m.Amount)
	}
	if back != 30 {
		t.Errorf("%d given back", back)
	}
	// An operator of the installation gave it all back before.
	ok(t, s.Operate(t.Context(), ledger.Operation{ID: "by hand", Account: "a0", Kind: ledger.Refund, Actor: "x", Reason: "y", Refers: "call"}))
	ok(t, s.Record(t.Context(), failed(first, 3, 4)))
	if a := Balance(t, s, "a0"); a != 1000 {
		t.Errorf("balance %d: no more than was paid comes back", a)
	}
	sendNow(t, s, "again", "a0", 4, func(b *sms.Batch) { b.Cap = 60 }) // what failed is not spent
	Even(t, s)
}

// receiptsMatched: in every spelling that message centres use, before and after
// the part is known, once and again.
func receiptsMatched(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100_000)
	spellings := [][2][2]string{ // as it was given, and as the receipt has it, of two messages
		{{"1F", "31"}, {"2F", "47"}}, {{"32", "20"}, {"33", "21"}}, {{"000ab3", "AB3"}, {"000ab4", "AB4"}},
		{{"0xFF1", "ff1"}, {"0xFF2", "ff2"}}, {{"same-0001", "SAME-0001"}, {"same-0002", "SAME-0002"}},
		{{"7777777777777777777777", "7777777777777777777777"}, {"7777777777777777777778", "7777777777777777777778"}},
	}
	first := sendNow(t, s, "call", "a0", 2*len(spellings))
	var results []sms.Result
	var receipts []operator.Receipt
	var ids []int64
	var want []sms.State
	for i, spelled := range spellings {
		for early := range 2 {
			id := first + int64(2*i+early)
			sent := spelled[early][0]
			r := receipt(spelled[early][1], sms.Delivered)
			r.To = Mobile(2*i + early).International()
			results, receipts = append(results, result(first, id, sent)), append(receipts, r)
			ids, want = append(ids, id), append(want, sms.Delivered)
		}
	}
	half := len(results) / 2
	ok(t, s.Record(t.Context(), results[:half]))
	for range 2 {
		ok(t, s.Receipts(t.Context(), receipts))
	}
	ok(t, s.Record(t.Context(), results[half:]))
	wantStates(t, s, "every receipt", "a0", ids, want...)
	if n, err := s.MatchStrays(t.Context()); n != 0 || err != nil {
		t.Errorf("%d strays are left to match: %v", n, err)
	}
	ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt("1f", sms.Undelivered)}))
	wantStates(t, s, "another receipt", "a0", ids[:1], sms.Delivered)
}

// receiptsOfOthers: the same id at another operator, or of another phone, is
// another part; of two the newest is meant.
func receiptsOfOthers(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	first := sendNow(t, s, "call", "a0", 5)
	other := result(first, first+2, "55")
	other.Operator = "mtn"
	old, young := result(first, first+3, "66"), result(first, first+4, "66")
	old.At = old.At.Add(-time.Hour)
	ok(t, s.Record(t.Context(), []sms.Result{result(first, first, "55"), result(first, first+1, "37"), other, young, old}))
	hers := receipt("55", sms.Delivered) // as hexadecimal it is the second's 37
	hers.To = Mobile(1).Local()
	nobodys := receipt("55", sms.Rejected)
	nobodys.To = Mobile(4).Local()
	ok(t, s.Receipts(t.Context(), []operator.Receipt{hers, nobodys, receipt("66", sms.Delivered), receipt("nobody's", sms.Delivered)}))
	all := []int64{first, first + 1, first + 2, first + 3, first + 4}
	wantStates(t, s, "hers", "a0", all, sms.Submitted, sms.Delivered, sms.Submitted, sms.Submitted, sms.Delivered)
	ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt("66", sms.Expired)})) // the other's turn
	wantStates(t, s, "the second of two", "a0", all[3:4], sms.Expired)
}

// longReceipts: a message has come to its end when all its parts have, and to
// the worst of theirs.
func longReceipts(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	first := sendNow(t, s, "call", "a0", 3, func(b *sms.Batch) {
		for i := range b.Messages {
			b.Messages[i].Parts = 3
		}
	})
	twice := result(first, first+2, "c1", "c2", "c3")
	twice.Parts = append(twice.Parts, sms.PartResult{Place: 2, ID: "c2-again"})
	ok(t, s.Record(t.Context(), []sms.Result{result(first, first, "a1", "a2", "a3"), result(first, first+1, "b1", "b2", "b3"), twice}))
	ids := []int64{first, first + 1, first + 2}
	tell := func(state sms.State, of ...string) {
		t.Helper()
		var all []operator.Receipt
		for _, id := range of {
			all = append(all, receipt(id, state))
		}
		ok(t, s.Receipts(t.Context(), all))
	}
	tell(sms.Delivered, "a1", "a2", "a2", "b3", "c1")
	tell(sms.Expired, "b1", "c2")
	tell(sms.Submitted, "a3")
	wantStates(t, s, "some", "a0", ids, sms.Submitted, sms.Submitted, sms.Submitted)
	tell(sms.Delivered, "a3", "b2", "c3", "c2-again")
	wantStates(t, s, "all", "a0", ids, sms.Delivered, sms.Expired, sms.Delivered)
}

// heardOf: the transaction that ends a message puts down a notice for who wants
// to hear of it, once.
func heardOf(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	ok(t, s.Change(t.Context(), store.Act{Actor: "x", Service: "webhook", Method: "add"}, func(c *store.Change) error {
		return c.AddWebhook(Hook("hook", "https://hook.example"))
	}))
	ok(t, s.LoadWebhooks(t.Context()))
	first := sendNow(t, s, "call", "a0", 4)
	for range 2 {
		ok(t, s.Record(t.Context(), []sms.Result{
			result(first, first, "1"), result(first, first+1, "2"),
			{Message: first + 2, Batch: first, State: sms.Failed, At: time.Now()}, {Message: first + 3, Batch: first, State: sms.Rejected, At: time.Now()},
		}))
		ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt("1", sms.Delivered), receipt("2", sms.Undelivered)}))
	}
	notices, err := s.Notices(t.Context(), "hook", 99)
	ok(t, err)
	got := map[string]int{}
	for _, n := range notices {
		got[fmt.Sprintf("%s %d %d", n.Event, n.Ref-first, n.State)]++
	}
	want := map[string]int{}
	for _, n := range []struct {
		event webhook.Event
		ref   int
		state sms.State
	}{{webhook.Delivered, 0, sms.Delivered}, {webhook.Failed, 1, sms.Undelivered}, {webhook.Failed, 2, sms.Failed}, {webhook.Failed, 3, sms.Rejected}} {
		want[fmt.Sprintf("%s %d %d", n.event, n.ref, n.state)] = 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	due, err := s.DueNotices(t.Context())
	if err != nil || len(due) != 1 {
		t.Errorf("%v, %v", due, err)
	}
}

// claimedOnce: a hundred who ask at once never get the same job; one whose lease
// ends is there again, and lapsed.
func claimedOnce(t *testing.T, place Place) {
	const n = 150
	now := time.Now()
	ahead := false
	s := Must(t, place, store.Options{Now: func() time.Time {
		if ahead {
			return now.Add(2 * time.Minute)
		}
		return now
	}})
	Fund(t, s, 100_000)
	now = now.Add(time.Second)
	for i := range n {
		sendNow(t, s, "c"+strconv.Itoa(i), "a0", 1, func(b *sms.Batch) { b.Priority, b.Due, b.At = sms.Priority(i%3), now, now })
	}
	sendNow(t, s, "later", "a0", 1, func(b *sms.Batch) { b.Due = now.Add(time.Hour) })
	first, err := s.ClaimSends(t.Context(), "first", sms.Urgent, n, time.Minute)
	if err != nil || len(first) != n/3 {
		t.Fatalf("%d urgent ones, %v", len(first), err)
	}
	taken := map[int64]int{}
	var all [100][]job.Job
	for _, err := range Together(len(all), func(i int) (err error) {
		all[i], err = s.ClaimJobs(t.Context(), job.Send, "node"+strconv.Itoa(i), 3, time.Minute)
		return err
	}) {
		ok(t, err)
	}
	for _, jobs := range append(all[:], first) {
		for _, j := range jobs {
			if taken[j.Ref]++; j.Attempt != 1 || j.Lapsed || taken[j.Ref] > 1 {
				t.Errorf("%+v was taken %d times", j, taken[j.Ref])
			}
		}
	}
	if len(taken) != n {
		t.Errorf("%d of %d were taken", len(taken), n)
	}
	var refs []int64
	for _, j := range first {
		refs = append(refs, j.Ref)
	}
	ok(t, s.ExtendJobs(t.Context(), job.Send, "first", refs[:10], time.Hour))
	ok(t, s.ExtendJobs(t.Context(), job.Send, "somebody else", refs[10:], time.Hour))
	ok(t, s.RetryJobs(t.Context(), job.Send, "first", refs[10:20], now))
	ok(t, s.FinishJobs(t.Context(), job.Send, refs[20:30]))
	ahead = true
	again, err := s.ClaimJobs(t.Context(), job.Send, "late", 1000, time.Minute)
	ok(t, err)
	lapsed := 0
	for _, j := range again {
		if j.Lapsed {
			lapsed++
		}
	}
	if len(again) != n-20 || lapsed != n-30 {
		t.Errorf("%d again, %d of them lapsed; want %d and %d", len(again), lapsed, n-20, n-30)
	}
}
