package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/webhook"
)

const (
	ownLine   = "30005678"
	longText  = "متن بلند 😀 متن بلند 😀 متن بلند 😀 متن بلند 😀 متن بلند 😀 متن بلند 😀 متن بلند 😀"
	spentSent = 60 // of the account's day: seven at 10, of which one failed
)

// letters have their own order in every language, and in bytes yet another.
var letters = []string{"mci", "MTN", "é", "É", "_", "ی", "\U0001F511", "a b", "a"}

// texted leaves messages in every state that they can be moved in: sent,
// waiting, cancelled and erased ones, receipts without parts, parts without
// each other, notices that arrived, failed and wait.
func texted(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	must(t, s.Change(ctx, store.Act{Actor: "x", Service: "account", Method: "add"}, func(c *store.Change) error {
		if err := c.AddLine("a0", account.Line{Number: ownLine, DayLimit: 1000}); err != nil {
			return err
		}
		return c.AddWebhook(storetest.Hook("hook", "https://hook.example/راه"))
	}))
	must(t, s.LoadWebhooks(ctx))
	bounded := func(b *sms.Batch) {
		b.Cap, b.Daily = 1000, []sms.Daily{{Line: account.LineKey("30001234"), Messages: 1000}}
	}
	sent := storetest.Sending(t, s, "sent", "a0", 7, bounded)
	must(t, s.Commit(ctx, sent))
	if taken, err := s.ClaimJobs(ctx, job.Send, "node", 9, time.Minute); err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	first := sent.Batch.ID
	must(t, s.Record(ctx, []sms.Result{
		taken(first, first, "1A", "1B"), taken(first, first+1, "000ab3"), taken(first, first+2, "same-É"), taken(first, first+3, "2A"),
		{Message: first + 4, Batch: first, State: sms.Failed, At: time.Now()},
		{Message: first + 5, Batch: first, State: sms.Unknown, Doubt: true, At: time.Now()},
	}))
	must(t, s.FinishJobs(ctx, job.Send, []int64{first}))
	must(t, s.Receipts(ctx, []operator.Receipt{said("1A", sms.Delivered), said("AB3", sms.Undelivered), said("early", sms.Delivered)}))
	for _, name := range letters {
		for _, state := range []sms.State{sms.Undelivered, sms.Delivered} {
			must(t, s.Receipts(ctx, []operator.Receipt{{Operator: name, ID: name, State: state, At: time.Now(), To: "+989120000000"}}))
		}
	}
	must(t, s.Commit(ctx, storetest.Sending(t, s, "waiting", "a0", 3)))
	gone := storetest.Sending(t, s, "gone", "a0", 2, bounded, func(b *sms.Batch) { b.Due, b.Once = b.At.Add(time.Hour), true })
	must(t, s.Commit(ctx, gone))
	must(t, s.Commit(ctx, storetest.Cancelling("cancel", "a0", gone.Batch.ID)))
	came(t, s)
	heard(t, s)
}

func taken(batch, message int64, ids ...string) sms.Result {
	r := sms.Result{Message: message, Batch: batch, Operator: "mci", State: sms.Submitted, At: time.Now()}
	for i, id := range ids {
		r.Parts = append(r.Parts, sms.PartResult{Place: i + 1, ID: id})
	}
	return r
}

func said(id string, state sms.State) operator.Receipt {
	return operator.Receipt{Operator: "mci", ID: id, State: state, At: time.Now()}
}

// parts are those of a message from a phone.
func parts(by, to string, reference uint16, text string) (all []operator.Arrival) {
	coding, split := sms.Split(text)
	for i, data := range split {
		all = append(all, operator.Arrival{
			Operator: by, From: storetest.Mobile(1).International(), To: to, Coding: coding, Data: data, Reference: reference,
			Number: i + 1, Total: len(split), At: time.Now(),
		})
	}
	return all
}

// came leaves messages from phones: whole and read ones, one that nobody has,
// one whose sender wants no more, and a part without the others.
func came(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	must(t, s.Arrivals(ctx, parts("mci", ownLine, 1, longText)))
	must(t, s.Arrivals(ctx, parts("mci", ownLine, 0, "سلام")))
	must(t, s.Arrivals(ctx, parts("mci", "5000", 0, "nobody's")))
	must(t, s.Arrivals(ctx, parts("mci", ownLine, 0, "off")))
	for _, name := range letters {
		must(t, s.Arrivals(ctx, parts(name, ownLine, 2, longText)[:1]))
	}
	found, err := s.Incoming(ctx, sms.Inbox{Account: "a0", Limit: 1})
	must(t, err)
	reads := storetest.Charge("reads", "a0", 0)
	reads.Read = &sms.Read{Account: "a0", Incoming: []int64{found[0].ID}}
	must(t, s.Commit(ctx, reads))
}

// heard leaves a notice of each outcome.
func heard(t *testing.T, s *store.Store) {
	t.Helper()
	notices, err := s.ClaimNotices(t.Context(), "node", map[string]int{"hook": 3}, time.Minute)
	if err != nil || len(notices) != 3 {
		t.Fatal(len(notices), err)
	}
	var tries []webhook.Try
	for i, outcome := range []webhook.Outcome{webhook.Arrived, webhook.GivenUp, webhook.Waiting} {
		tries = append(tries, webhook.Try{
			Notice: notices[i].ID, Webhook: "hook", At: time.Now(), Outcome: outcome, Status: 500, Note: "نه", Next: time.Now().Add(time.Hour),
		})
	}
	_, err = s.Tried(t.Context(), "node", tries)
	must(t, err)
}

// odd are rows with the greatest, the least and the emptiest values that columns take.
const odd = `UPDATE batch SET sealed = x'' WHERE call = 'gone';
	UPDATE message SET number = x'' WHERE batch = (SELECT id FROM batch WHERE call = 'gone');
	UPDATE incoming SET sender = x'', sealed = x'' WHERE account = '';
	INSERT INTO job VALUES ('é', -9223372036854775808, 0, 9223372036854775807, 3, 2, ''), ('É', 1, 0, 0, 0, 0, 'ی'), ('Z', 1, 0, 0, 0, 0, ''), ('a', 1, 0, 0, 0, 0, '');
	INSERT INTO spent VALUES ('a0', '', 0, 1, 1), ('A0', 'é', 0, 1, 1), ('A0', 'É', 0, 1, 1)`

// textingGoesOn checks that what was begun before the move comes to its end
// after it.
func textingGoesOn(t *testing.T, to store.Location) {
	t.Helper()
	s := storetest.Must(t, place(t, to), store.Options{})
	defer storetest.Close(t, s)
	ctx := t.Context()
	batches, err := s.Sent(ctx, sms.Sent{Account: "a0", Limit: 9})
	must(t, err)
	first := map[string]int64{}
	last := int64(0)
	for _, b := range batches {
		first[b.Call] = b.ID
		last = max(last, b.ID+int64(len(b.Messages)))
		if m := b.Messages[0]; (m.Text == "سلام 0" && m.Recipient == storetest.Mobile(0)) == (b.Call == "gone") {
			t.Errorf("batch %s cannot be read, or was not erased", b.Call)
		}
	}
	if next, err := s.MessageIDs(ctx, 1); next < last || err != nil {
		t.Errorf("the id %d comes after %d: %v", next, last, err)
	}
	jobs, err := s.ClaimJobs(ctx, job.Send, "another", 9, time.Minute)
	if err != nil || len(jobs) != 1 || jobs[0].Ref != first["waiting"] {
		t.Errorf("what waits to be sent: %+v %v", jobs, err)
	}
	must(t, s.Record(ctx, []sms.Result{taken(first["waiting"], first["waiting"], "EARLY")}))
	if n, err := s.MatchStrays(ctx); n != 1 || err != nil {
		t.Errorf("%d receipts had come early: %v", n, err)
	}
	must(t, s.Receipts(ctx, []operator.Receipt{said("1b", sms.Delivered), said("SAME-É", sms.Delivered)}))
	ids := []int64{first["sent"], first["sent"] + 1, first["sent"] + 2, first["sent"] + 3, first["sent"] + 4, first["sent"] + 5, first["waiting"], first["gone"]}
	messages, err := s.Messages(ctx, "a0", ids)
	must(t, err)
	var states []sms.State
	for _, m := range messages {
		states = append(states, m.State)
	}
	want := []sms.State{sms.Delivered, sms.Undelivered, sms.Delivered, sms.Submitted, sms.Failed, sms.Unknown, sms.Delivered, sms.Cancelled}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
	over := storetest.Sending(t, s, "over", "a0", 1, func(b *sms.Batch) { b.Cap = spentSent })
	if err := s.Commit(ctx, over); err == nil || fault.From(err).Code != fault.Quota {
		t.Errorf("what was spent before the move is forgotten: %v", err)
	}
	arrivingGoesOn(t, s)
}

func arrivingGoesOn(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	must(t, s.Arrivals(ctx, parts("mci", ownLine, 1, longText))) // brought again
	must(t, s.Arrivals(ctx, parts("é", ownLine, 2, longText)[1:]))
	found, err := s.Incoming(ctx, sms.Inbox{Account: "a0", Sender: storetest.Mobile(1).Local(), Limit: 9})
	must(t, err)
	var got []string
	for _, m := range found {
		got = append(got, m.Text)
	}
	if diff := cmp.Diff([]string{longText, "off", "سلام", longText}, got); diff != "" {
		t.Error(diff)
	}
	blocks, err := s.Blocks(ctx)
	if err != nil || !blocks.Has(ownLine, storetest.Mobile(1)) {
		t.Errorf("who wanted no more is not blocked: %v", err)
	}
	hook, err := s.Webhook(ctx, "hook")
	if err != nil || !strings.HasSuffix(hook.URL, "/راه") {
		t.Errorf("the webhook is %s: %v", hook.URL, err)
	}
	kept, err := s.Notices(ctx, "hook", 99)
	must(t, err)
	outcomes := map[webhook.Outcome]bool{}
	for _, n := range kept {
		outcomes[n.Outcome] = true
	}
	if due, err := s.ClaimNotices(ctx, "node", map[string]int{"hook": 99}, time.Minute); err != nil || len(outcomes) != 3 || len(due) != len(kept)-3 {
		t.Errorf("%d notices of %d are due: %v", len(due), len(kept), err)
	}
}
