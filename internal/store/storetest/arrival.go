package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

// arrivals are the parts of a message from the i-th mobile.
func arrivals(i int, to string, reference uint16, text string) (all []operator.Arrival) {
	coding, parts := sms.Split(text)
	for n, data := range parts {
		all = append(all, operator.Arrival{
			Operator: "mci", From: Mobile(i).International(), To: to, Coding: coding, Data: data, Reference: reference,
			Number: n + 1, Total: len(parts), At: time.UnixMicro(1_800_000_000_000_000).UTC(),
		})
	}
	return all
}

// withLine gives a0 the line 30001234 and a webhook.
func withLine(t *testing.T, s *store.Store) {
	t.Helper()
	Fund(t, s, 1000, 1000)
	ok(t, s.Change(t.Context(), store.Act{Actor: "x", Service: "account", Method: "add"}, func(c *store.Change) error {
		if err := c.AddLine("a0", account.Line{Number: "30001234"}); err != nil {
			return err
		}
		return c.AddWebhook(Hook("hook", "https://hook.example"))
	}))
	ok(t, s.LoadWebhooks(t.Context()))
}

func inbox(t *testing.T, s *store.Store, q sms.Inbox) (all []string) {
	t.Helper()
	q.Limit = 100
	found, err := s.Incoming(t.Context(), q)
	ok(t, err)
	for _, m := range found {
		all = append(all, fmt.Sprintf("%s %s %d %v %s", m.Line, m.Sender, m.Parts, m.Read, m.Text))
	}
	return all
}

func arrived(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	withLine(t, s)
	long := strings.Repeat("متن بلند 😀 ", 30)
	parts := arrivals(1, "+9830001234", 7, long)
	if len(parts) < 4 {
		t.Fatal(len(parts))
	}
	slices.Reverse(parts)
	other := arrivals(2, "30001234", 7, strings.Repeat("another ", 30))
	ok(t, s.Arrivals(t.Context(), append(slices.Clone(parts[:2]), other[0])))
	ok(t, s.Arrivals(t.Context(), append(slices.Clone(parts[1:2]), arrivals(3, "98 3000 1234", 0, "سلام")...)))
	if got := inbox(t, s, sms.Inbox{Account: "a0"}); len(got) != 1 {
		t.Fatalf("%q before all parts were there", got)
	}
	ok(t, s.Arrivals(t.Context(), append(slices.Clone(parts[2:]), other[1])))
	for range 2 { // brought again
		ok(t, s.Arrivals(t.Context(), slices.Concat(parts, other)))
	}
	ok(t, s.Arrivals(t.Context(), arrivals(1, "5000", 0, "nobody's")))
	want := []string{
		fmt.Sprintf("30001234 %s 2 false %s", Mobile(2).Local(), strings.Repeat("another ", 30)),
		fmt.Sprintf("30001234 %s %d false %s", Mobile(1).Local(), len(parts), long),
		fmt.Sprintf("30001234 %s 1 false سلام", Mobile(3).Local()),
	}
	if diff := cmp.Diff(want, inbox(t, s, sms.Inbox{Account: "a0"})); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		q    sms.Inbox
		want int
	}{
		"by line":       {sms.Inbox{Account: "a0", Line: "98-30001234"}, 3},
		"other line":    {sms.Inbox{Account: "a0", Line: "5000"}, 0},
		"by sender":     {sms.Inbox{Account: "a0", Sender: Mobile(1).International()}, 1},
		"other account": {sms.Inbox{Account: "a1"}, 0},
		"later":         {sms.Inbox{Account: "a0", From: time.UnixMicro(1_800_000_000_000_001)}, 0},
		"earlier":       {sms.Inbox{Account: "a0", Until: time.UnixMicro(1_800_000_000_000_000)}, 0},
		"nobody's":      {sms.Inbox{Line: "5000"}, 1},
	} {
		if got := inbox(t, s, c.q); len(got) != c.want {
			t.Errorf("%s: %d messages, want %d", name, len(got), c.want)
		}
	}
	notices, err := s.Notices(t.Context(), "hook", 99)
	if err != nil || len(notices) != 3 || notices[0].Event != webhook.Received {
		t.Errorf("%+v, %v", notices, err)
	}
}

// broughtAgain: what comes once more over another bind is known by its serial,
// and marked without one; what a person says twice over one bind is two messages.
func broughtAgain(t *testing.T, place Place) {
	var clock atomic.Int64
	s := Must(t, place, store.Options{Now: func() time.Time { return time.Now().Add(time.Duration(clock.Load())) }})
	withLine(t, s)
	bring := func(text, bind, serial string) {
		t.Helper()
		a := arrivals(1, "30001234", 0, text)[0]
		a.Bind, a.Serial = bind, serial
		ok(t, s.Arrivals(t.Context(), []operator.Arrival{a}))
	}
	bring("1", "first", "")
	bring("1", "first", "") // said twice
	bring("1", "second", "")
	bring("1", "second", "") // said again
	bring("2", "first", "7")
	bring("2", "second", "7") // the same
	bring("2", "second", "8")
	bring("3", "", "")
	bring("3", "", "")
	clock.Add(int64(2 * time.Hour))
	bring("1", "third", "")
	bring("2", "third", "7")
	found, err := s.Incoming(t.Context(), sms.Inbox{Account: "a0", Limit: 100})
	ok(t, err)
	var got []string
	for _, m := range slices.Backward(found) {
		got = append(got, fmt.Sprint(m.Text, m.Repeated))
	}
	want := []string{"1false", "1false", "1true", "1false", "2false", "2false", "3false", "3false", "1false", "2false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func markedRead(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	withLine(t, s)
	for i := range 3 {
		ok(t, s.Arrivals(t.Context(), arrivals(i, "30001234", 0, "m")))
	}
	found, err := s.Incoming(t.Context(), sms.Inbox{Account: "a0", Limit: 2})
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	reading := func(call, of string) closing.Closing {
		c := Charge(call, of, 1)
		c.Read = &sms.Read{Account: of, Incoming: []int64{found[0].ID, found[1].ID, 1 << 40}}
		return c
	}
	ok(t, s.Commit(t.Context(), reading("theirs", "a1")))
	if n := len(inbox(t, s, sms.Inbox{Account: "a0", Unread: true})); n != 3 {
		t.Errorf("another account has read ours: %d are left", n)
	}
	for i := range 2 {
		ok(t, s.Commit(t.Context(), reading(fmt.Sprint("ours", i), "a0")))
	}
	if n := len(inbox(t, s, sms.Inbox{Account: "a0", Unread: true})); n != 1 {
		t.Errorf("%d unread ones", n)
	}
}

// reusedReference: phones count to 255 and begin again, some never count.
func reusedReference(t *testing.T, place Place) {
	now := time.Now()
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	withLine(t, s)
	text := func(word string) string { return strings.Repeat(word+" ", 40) }
	first, second, third := arrivals(1, "30001234", 9, text("first")), arrivals(1, "30001234", 9, text("second"[:5])), arrivals(1, "30001234", 9, text("third"))
	ok(t, s.Arrivals(t.Context(), first))
	ok(t, s.Arrivals(t.Context(), second[:1])) // its other part never comes
	ok(t, s.Arrivals(t.Context(), third))
	now = now.Add(30 * time.Minute)
	ok(t, s.Arrivals(t.Context(), arrivals(2, "30001234", 1, text("alone"))[1:]))
	ok(t, s.JoinFragments(t.Context()))
	if got := len(inbox(t, s, sms.Inbox{Account: "a0"})); got != 3 {
		t.Errorf("%d messages before an hour", got)
	}
	now = now.Add(61 * time.Minute)
	for range 2 {
		ok(t, s.JoinFragments(t.Context()))
	}
	found, err := s.Incoming(t.Context(), sms.Inbox{Account: "a0", Limit: 9})
	ok(t, err)
	var got []string
	for _, m := range found {
		got = append(got, fmt.Sprintf("%d %.5s", m.Parts, strings.TrimLeft(m.Text, " aloned")))
	}
	want := []string{"1 " + got[0][2:], "2 third", "1 secon", "2 first"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// optedOut: who says so gets nothing more from that line, and nodes are told.
func optedOut(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	withLine(t, s)
	before, err := s.Versions(t.Context())
	ok(t, err)
	ok(t, s.Arrivals(t.Context(), append(arrivals(1, "30001234", 0, "لغو ۱۱"), arrivals(2, "30001234", 0, "لغو قرار")...)))
	after, err := s.Versions(t.Context())
	ok(t, err)
	ok(t, s.Arrivals(t.Context(), append(arrivals(1, "30001234", 0, "off"), arrivals(3, "5000", 0, "off")...)))
	again, err := s.Versions(t.Context())
	ok(t, err)
	if after.Blocks == before.Blocks || again.Blocks != after.Blocks {
		t.Errorf("versions %d, %d, %d", before.Blocks, after.Blocks, again.Blocks)
	}
	blocks, err := s.Blocks(t.Context())
	ok(t, err)
	got := []bool{blocks.Has("30001234", Mobile(1)), blocks.Has("+9830001234", Mobile(1)), blocks.Has("30001234", Mobile(2)), blocks.Has("5000", Mobile(1)), blocks.Has("5000", Mobile(3))}
	if diff := cmp.Diff([]bool{true, true, false, false, false}, got); diff != "" {
		t.Error(diff)
	}
}

// erasedMessages: an erasure leaves prices and states, and what is still to be
// sent.
func erasedMessages(t *testing.T, place Place) {
	now := time.Now()
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	withLine(t, s)
	sent := sendNow(t, s, "sent", "a0", 2)
	ok(t, s.FinishJobs(t.Context(), "send", []int64{sent}))
	waiting := sendNow(t, s, "waiting", "a0", 1, func(b *sms.Batch) { b.Due = now.Add(48 * time.Hour) })
	in := arrivals(1, "30001234", 0, "hello")
	in[0].At = now
	ok(t, s.Arrivals(t.Context(), in))
	now = now.Add(time.Hour)
	if _, err := s.Erase(t.Context(), now, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Messages(t.Context(), "a0", []int64{sent, waiting})
	if err != nil || len(got) != 2 || got[0].Text != "" || !got[0].Recipient.IsZero() || got[0].Line != "" || got[0].Price != 10 || got[1].Text == "" {
		t.Errorf("%v: %+v", err, got)
	}
	if found, err := s.Sent(t.Context(), sms.Sent{Account: "a0", Recipient: Mobile(1), Limit: 9}); err != nil || len(found) != 0 {
		t.Errorf("%d batches are found by an erased number: %v", len(found), err)
	}
	if diff := cmp.Diff([]string{"30001234  1 false "}, inbox(t, s, sms.Inbox{Account: "a0"})); diff != "" {
		t.Error(diff)
	}
}

// forgottenParts: receipts are matched for thirty days, and nobody's are kept as
// long.
func forgottenParts(t *testing.T, place Place) {
	now := time.Now()
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	Fund(t, s, 1000)
	first := sendNow(t, s, "call", "a0", 3)
	record := func(message int64, id string) {
		r := result(first, message, id)
		r.At = now
		ok(t, s.Record(t.Context(), []sms.Result{r}))
	}
	record(first, "a")
	record(first+1, "b")
	ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt("nobody's", sms.Delivered)}))
	now = now.Add(29 * 24 * time.Hour)
	record(first+2, "c")
	ok(t, s.ForgetParts(t.Context()))
	ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt("a", sms.Delivered)}))
	now = now.Add(2 * 24 * time.Hour)
	ok(t, s.ForgetParts(t.Context()))
	ok(t, s.Receipts(t.Context(), []operator.Receipt{receipt("b", sms.Delivered), receipt("c", sms.Delivered)}))
	wantStates(t, s, "after a month", "a0", []int64{first, first + 1, first + 2}, sms.Delivered, sms.Submitted, sms.Delivered)
}
