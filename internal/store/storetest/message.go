package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
)

// messages are the suite's tests of what is sent and received.
var messages = map[string]func(*testing.T, Place){
	"messages are stored with their charge": accepted,
	"messages are stored once":              acceptedOnce,
	"messages are found by number":          numbered,
	"bad sendings":                          badSending,
	"a cap is exact":                        spendingCap,
	"a line's quota is exact":               lineQuota,
	"cancelled batches":                     cancelledBatch,
	"a cap set later counts from then":      cappedLater,
	"cancelled or taken, never both":        cancelRace,
	"ids are given out once":                manyIDs,
	"messages: what became of them":         recorded,
	"messages: failed ones cost nothing":    refundedOnce,
	"messages: receipts find their parts":   receiptsMatched,
	"messages: late answers":                lateAnswers,
	"messages: receipts of others":          receiptsOfOthers,
	"messages: receipts of long ones":       longReceipts,
	"messages: webhooks hear of their end":  heardOf,
	"messages: jobs are claimed once":       claimedOnce,
	"messages: jobs are picked out":         pickedOut,
	"messages: from phones":                 arrived,
	"messages: from phones, again":          broughtAgain,
	"messages: from phones, read":           markedRead,
	"messages: references used again":       reusedReference,
	"messages: who wants no more":           optedOut,
	"messages: erased":                      erasedMessages,
	"messages: forgotten parts":             forgottenParts,
}

// Mobile is the i-th mobile number of this suite.
func Mobile(i int) persian.Mobile { return Somebody(i).Mobiles[0] }

// Sending is the closing of a call that sends n messages of 10 rials each; its
// ids are the store's next.
func Sending(t checker, s *store.Store, call, from string, n int, edit ...func(*sms.Batch)) closing.Closing {
	t.Helper()
	first, err := s.MessageIDs(context.Background(), n)
	ok(t, err)
	return SendingFrom(first, call, from, n, edit...)
}

// SendingFrom is Sending with ids of the test's own.
func SendingFrom(first int64, call, from string, n int, edit ...func(*sms.Batch)) closing.Closing {
	c := Charge(call, from, 0)
	c.Record.At = time.Now().UTC().Truncate(time.Microsecond)
	b := &sms.Batch{
		ID: first, Account: from, Call: call, At: c.Record.At, Due: c.Record.At, Expires: c.Record.At.Add(time.Hour), Priority: sms.Normal,
	}
	for i := range n {
		b.Messages = append(b.Messages, sms.Message{
			ID: first + int64(i), Line: "30001234", Recipient: Mobile(i), Text: "سلام " + strconv.Itoa(i%3), Coding: sms.UCS2, Parts: 1,
			Price: 10, State: sms.Queued, StateAt: c.Record.At,
		})
	}
	for _, e := range edit {
		e(b)
	}
	b.Price = 0
	for _, m := range b.Messages {
		b.Price += m.Price
	}
	c.Batch, c.Charge.Amount, c.Record.Price = b, b.Price, b.Price
	return c
}

// Cancelling is the closing of a call that cancels a batch.
func Cancelling(call, from string, batch int64) closing.Closing {
	c := Charge(call, from, 0)
	c.Cancel = &sms.Cancel{Account: from, Batch: batch, At: time.Now()}
	return c
}

func accepted(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000, 1000)
	c := Sending(t, s, "call", "a0", 3, func(b *sms.Batch) {
		b.Messages[1].State, b.Messages[1].Price, b.Once, b.Messages[2].Parts = sms.Blocked, 0, true, 4
	})
	ok(t, s.Commit(t.Context(), c))
	want := *c.Batch
	for name, read := range map[string]func() ([]sms.Batch, error){
		"by id": func() ([]sms.Batch, error) { return s.Batches(t.Context(), []int64{7777, want.ID}) },
		"all":   func() ([]sms.Batch, error) { return s.Sent(t.Context(), sms.Sent{Account: "a0", Limit: 9}) },
		"by batch": func() ([]sms.Batch, error) {
			return s.Sent(t.Context(), sms.Sent{Account: "a0", Batch: want.ID, Limit: 9})
		},
		"by recipient": func() ([]sms.Batch, error) {
			return s.Sent(t.Context(), sms.Sent{Account: "a0", Recipient: Mobile(2), Limit: 9})
		},
		"by time": func() ([]sms.Batch, error) {
			return s.Sent(t.Context(), sms.Sent{Account: "a0", From: want.At, Until: want.At.Add(time.Microsecond), Limit: 9})
		},
	} {
		got, err := read()
		if diff := cmp.Diff([]sms.Batch{want}, got, cmpopts.EquateComparable(persian.Mobile{})); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for name, q := range map[string]sms.Sent{
		"another account": {Account: "a1", Batch: want.ID, Limit: 9}, "another account's recipient": {Account: "a1", Recipient: Mobile(2), Limit: 9},
		"another recipient": {Account: "a0", Recipient: Mobile(3), Limit: 9}, "before": {Account: "a0", Until: want.At, Limit: 9},
		"after": {Account: "a0", From: want.At.Add(1000), Limit: 9}, "another batch": {Account: "a0", Batch: want.ID + 1, Limit: 9},
	} {
		if got, err := s.Sent(t.Context(), q); err != nil || len(got) != 0 {
			t.Errorf("%s: %d batches, %v", name, len(got), err)
		}
	}
	last := want.ID + 2
	got, err := s.Messages(t.Context(), "a0", []int64{last, 1 << 40, want.ID})
	if diff := cmp.Diff([]sms.Message{want.Messages[2], want.Messages[0]}, got, cmpopts.EquateComparable(persian.Mobile{})); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := s.Messages(t.Context(), "a1", []int64{last}); err != nil || len(got) != 0 {
		t.Errorf("another's messages: %d, %v", len(got), err)
	}
	if got := Balance(t, s, "a0"); got != 980 {
		t.Errorf("balance %d", got)
	}
	select {
	case <-s.Wake(job.Send):
	default:
		t.Error("nobody was woken")
	}
	jobs, err := s.ClaimJobs(t.Context(), job.Send, "node", 10, time.Minute)
	if err != nil || len(jobs) != 1 || jobs[0].Ref != want.ID || jobs[0].Attempt != 1 || jobs[0].Priority != int(sms.Normal) {
		t.Errorf("%+v, %v", jobs, err)
	}
	Even(t, s)
}

// numbered looks for what was sent to somebody, however far apart the ids are
// and whatever was sent to others between.
func numbered(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000, 1000)
	if got, err := s.Sent(t.Context(), sms.Sent{Account: "a0", Recipient: Mobile(2), Limit: 9}); err != nil || len(got) != 0 {
		t.Fatalf("nothing was sent, and %d batches are found, %v", len(got), err)
	}
	var want []int64
	for i, first := range []int64{1, 1022, 1030, 2047, 70_000, 70_005} { // the one of 1022 goes over the end of a stretch
		c := SendingFrom(first, "call"+strconv.Itoa(i), "a0", 1+i%2*2, func(b *sms.Batch) {
			b.At = b.At.Add(time.Duration(i) * time.Millisecond)
			if len(b.Messages) == 1 {
				b.Messages[0].Recipient = Mobile(2)
			}
		})
		ok(t, s.Commit(t.Context(), c))
		ok(t, s.Commit(t.Context(), SendingFrom(first+500+int64(10*i), "other"+strconv.Itoa(i), "a1", 3)))
		want = append([]int64{first}, want...)
	}
	found, err := s.Sent(t.Context(), sms.Sent{Account: "a0", Recipient: Mobile(2), Limit: 99})
	ok(t, err)
	var got []int64
	for _, b := range found {
		got = append(got, b.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// acceptedOnce: a repeated closing stores nothing twice, and neither does one
// that is refused.
func acceptedOnce(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 25)
	paid := Sending(t, s, "paid", "a0", 2)
	free := Sending(t, s, "free", "a0", 1, func(b *sms.Batch) { b.Messages[0].State, b.Messages[0].Price = sms.Blocked, 0 })
	for _, err := range Together(20, func(i int) error { return s.Commit(t.Context(), []closing.Closing{paid, free}[i%2]) }) {
		ok(t, err)
	}
	if err := s.Commit(t.Context(), Sending(t, s, "poor", "a0", 1)); !refused(err, fault.Credit) {
		t.Errorf("10 of 5: %v", err)
	}
	stored, err := s.Sent(t.Context(), sms.Sent{Account: "a0", Limit: 9})
	if err != nil || len(stored) != 2 || Balance(t, s, "a0") != 5 {
		t.Errorf("%d batches, balance %d, %v", len(stored), Balance(t, s, "a0"), err)
	}
	jobs, err := s.ClaimJobs(t.Context(), job.Send, "node", 10, time.Minute)
	if err != nil || len(jobs) != 1 {
		t.Errorf("%d jobs, %v: one of two batches has something to send", len(jobs), err)
	}
	Even(t, s)
}

func badSending(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000, 1000)
	ok(t, s.Commit(t.Context(), Sending(t, s, "first", "a0", 2)))
	for name, spoil := range map[string]func(*closing.Closing){
		"another price":      func(c *closing.Closing) { c.Charge.Amount-- },
		"another sum":        func(c *closing.Closing) { c.Batch.Messages[0].Price++ },
		"another call":       func(c *closing.Closing) { c.Batch.Call = "other" },
		"another account":    func(c *closing.Closing) { c.Batch.Account = "a1" },
		"no messages":        func(c *closing.Closing) { c.Batch.Messages, c.Batch.Price, c.Charge.Amount = nil, 0, 0 },
		"a gap":              func(c *closing.Closing) { c.Batch.Messages[1].ID++ },
		"a paid blocked one": func(c *closing.Closing) { c.Batch.Messages[1].State = sms.Blocked },
		"a sent one":         func(c *closing.Closing) { c.Batch.Messages[1].State = sms.Submitted },
		"another's id":       func(c *closing.Closing) { *c = SendingFrom(1, "fourth", "a0", 2) },
		"another's ids":      func(c *closing.Closing) { *c = SendingFrom(2, "fifth", "a0", 2) },
	} {
		c := Sending(t, s, name, "a0", 2)
		spoil(&c)
		var fine error
		errs := Together(2, func(i int) error {
			if i == 0 {
				return s.Commit(t.Context(), c)
			}
			fine = s.Commit(t.Context(), Charge("beside "+name, "a1", 1))
			return fine
		})
		if errs[0] == nil || errs[1] != nil {
			t.Errorf("%s: %v; one beside it: %v", name, errs[0], errs[1])
		}
	}
	stored, err := s.Sent(t.Context(), sms.Sent{Account: "a0", Limit: 99})
	if err != nil || len(stored) != 1 || Balance(t, s, "a0") != 980 {
		t.Errorf("%d batches, balance %d, %v", len(stored), Balance(t, s, "a0"), err)
	}
	Even(t, s)
}

// spendingCap: of fifty sendings at once as many are taken as the cap covers, to
// the message. A store that decided by what it read before the others' commits
// would take more.
func spendingCap(t *testing.T, place Place) {
	s := Must(t, place, store.Options{GroupMax: 8})
	Fund(t, s, 100_000)
	send := func(call string, day time.Duration) error {
		return s.Commit(t.Context(), Sending(t, s, call, "a0", 3, func(b *sms.Batch) { b.Cap, b.At = 309, b.At.Add(day) }))
	}
	taken := 0
	for _, err := range Together(50, func(i int) error { return send("c"+strconv.Itoa(i), 0) }) {
		if err == nil {
			taken++
		} else if !refused(err, fault.Quota) {
			t.Fatal(err)
		}
	}
	if taken != 10 || Balance(t, s, "a0") != 100_000-300 {
		t.Errorf("%d sendings of 30 within 309; balance %d", taken, Balance(t, s, "a0"))
	}
	one := func(call string, most rial.Amount) error {
		return s.Commit(t.Context(), Sending(t, s, call, "a0", 1, func(b *sms.Batch) { b.Cap = most }))
	}
	if err := one("the 31st within 309", 309); !refused(err, fault.Quota) {
		t.Errorf("310 of 309: %v", err)
	}
	ok(t, one("the 31st within 310", 310))
	if err := one("the 32nd within 319", 319); !refused(err, fault.Quota) {
		t.Errorf("320 of 319: %v", err)
	}
	ok(t, send("tomorrow", 24*time.Hour))
	_, records := history(t, s, "a0")
	if n := len(records); n != 54 {
		t.Errorf("%d records of 54 calls", n)
	}
	Even(t, s)
}

func lineQuota(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 100_000)
	send := func(i, n int) error {
		return s.Commit(t.Context(), Sending(t, s, "c"+strconv.Itoa(i), "a0", n, func(b *sms.Batch) {
			b.Daily = []sms.Daily{{Line: "9830001234", Messages: 10}, {Line: "2000", Messages: 1}}
			b.Messages[0].State, b.Messages[0].Price = sms.Blocked, 0
		}))
	}
	var taken atomic.Int64
	for _, err := range Together(20, func(i int) error { return send(i, 4) }) {
		if err == nil {
			taken.Add(1)
		} else if !refused(err, fault.Quota) {
			t.Fatal(err)
		}
	}
	if taken.Load() != 3 {
		t.Errorf("%d times 3 messages of 10", taken.Load())
	}
	ok(t, send(100, 2))
	if err := send(101, 2); !refused(err, fault.Quota) {
		t.Errorf("the 11th: %v", err)
	}
	ok(t, send(102, 1)) // blocked ones do not count
}

func cancelledBatch(t *testing.T, place Place) {
	var now atomic.Pointer[time.Time]
	at := time.Now()
	now.Store(&at)
	s := Must(t, place, store.Options{Now: func() time.Time { return *now.Load() }})
	Fund(t, s, 1000, 1000)
	due := func(b *sms.Batch) { b.Due, b.Cap = b.At.Add(time.Hour), 90 }
	early, late := Sending(t, s, "early", "a0", 3, due), Sending(t, s, "late", "a0", 2, due)
	soon := Sending(t, s, "soon", "a0", 1, func(b *sms.Batch) { b.Cap = 90 })
	for _, c := range []closing.Closing{early, late, soon} {
		ok(t, s.Commit(t.Context(), c))
	}
	if err := s.Commit(t.Context(), Sending(t, s, "more", "a0", 4, due)); !refused(err, fault.Quota) {
		t.Fatal(err)
	}
	cancel := func(call, of string, batch int64, want fault.Code) {
		t.Helper()
		if err := s.Commit(t.Context(), Cancelling(call, of, batch)); !refused(err, want) {
			t.Errorf("%s: %v", call, err)
		}
	}
	cancel("another's", "a1", early.Batch.ID, fault.NotFound)
	cancel("nobody's", "a0", 1<<40, fault.NotFound)
	cancel("not its first", "a0", early.Batch.ID+1, fault.NotFound)
	cancel("not scheduled", "a0", soon.Batch.ID, fault.NotFound)
	done := 0
	for _, err := range Together(20, func(i int) error { return s.Commit(t.Context(), Cancelling("x"+strconv.Itoa(i), "a0", early.Batch.ID)) }) {
		if err == nil {
			done++
		} else if !refused(err, fault.NotFound) {
			t.Error(err)
		}
	}
	if done != 1 || Balance(t, s, "a0") != 1000-20-10 {
		t.Errorf("cancelled %d times, balance %d", done, Balance(t, s, "a0"))
	}
	got, err := s.Messages(t.Context(), "a0", []int64{early.Batch.ID, early.Batch.ID + 2, late.Batch.ID})
	if err != nil || len(got) != 3 || got[0].State != sms.Cancelled || got[1].State != sms.Cancelled || got[2].State != sms.Queued {
		t.Errorf("%+v, %v", got, err)
	}
	ok(t, s.Commit(t.Context(), Sending(t, s, "again", "a0", 4, due))) // what was given back can be spent
	then := late.Batch.Due.Add(-sms.Margin)
	now.Store(&then)
	cancel("too late", "a0", late.Batch.ID, fault.TooLate)
	movements := movements(t, s, "a0")
	if want := (movement{ledger.Refund, 30}); movements[4] != want {
		t.Errorf("%+v", movements)
	}
	Even(t, s)
}

// cappedLater: what was sent before there was a cap, or on another day, was not
// counted against it today, and its end gives nothing of today back.
func cappedLater(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	later := func(b *sms.Batch) { b.Due = b.At.Add(time.Hour) }
	capped := func(b *sms.Batch) { b.Cap = 60 }
	yesterday := func(b *sms.Batch) { later(b); capped(b); b.At = b.At.Add(-24 * time.Hour) }
	send := func(call string, n int, edit ...func(*sms.Batch)) (int64, error) {
		c := Sending(t, s, call, "a0", n, edit...)
		return c.Batch.ID, s.Commit(t.Context(), c)
	}
	free, err := send("free", 5, later)
	ok(t, err)
	failed, err := send("fails", 5)
	ok(t, err)
	old, err := send("yesterday", 3, yesterday)
	ok(t, err)
	_, err = send("today", 6, capped)
	ok(t, err)
	ok(t, s.Commit(t.Context(), Cancelling("cancel free", "a0", free)))
	ok(t, s.Commit(t.Context(), Cancelling("cancel old", "a0", old)))
	ok(t, s.Record(t.Context(), []sms.Result{{Message: failed, Batch: failed, State: sms.Failed, At: time.Now()}}))
	if _, err = send("more", 1, capped); !refused(err, fault.Quota) {
		t.Errorf("a seventh of six: %v", err)
	}
	if _, err = send("old room", 6, yesterday); err != nil {
		t.Errorf("what was cancelled can be spent on its day: %v", err)
	}
	Even(t, s)
}

// cancelRace: a batch is either cancelled and never claimed, or claimed and not
// cancelled. A store that did not lock the job would do both now and then.
func cancelRace(t *testing.T, place Place) {
	const n = 40
	s := Must(t, place, store.Options{})
	Fund(t, s, n*10)
	var batches []int64
	for i := range n {
		c := Sending(t, s, "c"+strconv.Itoa(i), "a0", 1, func(b *sms.Batch) { b.Due = b.At.Add(time.Hour) })
		ok(t, s.Commit(t.Context(), c))
		batches = append(batches, c.Batch.ID)
		// The job is due before the batch is, as for a node whose clock is ahead.
		ok(t, s.RetryJobs(t.Context(), job.Send, "", []int64{c.Batch.ID}, c.Batch.At))
	}
	var claimed [4][]job.Job
	errs := Together(n+len(claimed), func(i int) (err error) {
		if i < n {
			return s.Commit(t.Context(), Cancelling("x"+strconv.Itoa(i), "a0", batches[i]))
		}
		for range 10 {
			jobs, err := s.ClaimJobs(t.Context(), job.Send, "node"+strconv.Itoa(i), 2, time.Hour)
			if err != nil {
				return err
			}
			claimed[i-n] = append(claimed[i-n], jobs...)
		}
		return nil
	})
	took := map[int64]int{}
	for _, jobs := range claimed {
		for _, j := range jobs {
			took[j.Ref]++
		}
	}
	cancelled := 0
	for i, err := range errs[:n] {
		switch {
		case err == nil && took[batches[i]] == 0:
			cancelled++
		case refused(err, fault.TooLate) && took[batches[i]] == 1:
		default:
			t.Errorf("batch %d was taken %d times, and cancelled with: %v", batches[i], took[batches[i]], err)
		}
	}
	if err := errors.Join(errs[n:]...); err != nil || cancelled+len(took) != n || Balance(t, s, "a0") != rial.Amount(cancelled)*10 {
		t.Errorf("%d cancelled, %d taken, balance %d, %v", cancelled, len(took), Balance(t, s, "a0"), err)
	}
	Even(t, s)
}

func manyIDs(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	var seen [30_000]atomic.Bool
	for _, err := range Together(8, func(i int) error {
		for range 50 {
			n := 1 + i*13
			first, err := s.MessageIDs(t.Context(), n)
			if err != nil {
				return err
			}
			for id := first; id < first+int64(n); id++ {
				if id < 1 || seen[id].Swap(true) {
					t.Errorf("%d was given out twice", id)
				}
			}
		}
		return nil
	}) {
		ok(t, err)
	}
	for _, n := range []int{0, -1, 100_000} {
		if _, err := s.MessageIDs(t.Context(), n); err == nil {
			t.Errorf("%d ids", n)
		}
	}
}
