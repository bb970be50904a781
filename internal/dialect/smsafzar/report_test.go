package smsafzar

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/sms"
)

var (
	owner      = &account.Account{ID: "acc-1"}
	countFault = fault.Bad(fault.Field{Name: "count", Rule: fault.Range, Min: 1, Max: 100})
)

func TestDecodeStatus(t *testing.T) {
	t.Parallel()
	list := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`"e1d20dd8-a346-40e1-95c7-979312682c41",`, n), ",")
	}
	for body, want := range map[string]fault.Code{
		`{}`: fault.Invalid, `{"sentMessageIdes":null}`: fault.Invalid, `{"sentMessageIdes":[]}`: fault.Invalid,
		`{"sentMessageIdes":"x"}`: fault.Invalid, `{"sentMessageIdes":["x",7]}`: fault.Invalid, `{"sentMessageIdes":[` + list(1) + `,""]}`: fault.Invalid,
		`{"sentMessageIdes":["e1d20dd8-a346-40e1-95c7-979312682c4"]}`: fault.Invalid, `{"sentMessageIdes":["7"]}`: fault.Invalid,
		`{"sentMessageIds":["x"]}`: fault.Invalid, `[]`: fault.Malformed,
		`{"sentMessageIdes":[` + list(101) + `]}`: fault.TooMany, `{"sentMessageIdes":[` + list(1500) + `]}`: fault.TooMany,
	} {
		if _, err := decodeStatus(post(body)); err == nil || fault.From(err).Code != want {
			t.Errorf("%.60s: %v, want %v", body, err, want)
		}
	}
	if names, err := decodeStatus(post(`{"sentMessageIdes":[` + list(100) + `]}`)); err != nil || len(names) != 100 {
		t.Errorf("a hundred: %d, %v", len(names), err)
	}
}

// TestStatusAnswersEachQuestion: one answer for each name that was asked for, in
// its order, whoever else's or whatever it is.
func TestStatusAnswersEachQuestion(t *testing.T) {
	t.Parallel()
	names, at := someNames(), time.Unix(1_770_177_035, 999)
	sent := map[int64]sms.Message{
		1: {ID: 1, State: sms.Delivered, StateAt: at, Recipient: mobile(t, "09121234567")},
		3: {ID: 3, State: sms.Queued, StateAt: at, Recipient: mobile(t, "09351234567")},
	}
	deps := Deps{Names: names, Messages: func(_ context.Context, account string, ids []int64) (found []sms.Message, err error) {
		if diff := cmp.Diff([]int64{3, 2, 1}, ids); diff != "" || account != "acc-1" {
			err = errors.New(account + diff)
		}
		for _, id := range []int64{1, 2, 3} {
			if m, has := sent[id]; has {
				found = append(found, m)
			}
		}
		return found, err
	}}
	r := dialecttest.Route(t, New(deps), "POST", "/messages/status")
	upper := strings.ToUpper(names.Message(1))
	reply, _ := dialecttest.Walk(t, r, post(fmt.Sprintf(`{"sentMessageIdes":[%q,%q,%q,"e1d20dd8-a346-40e1-95c7-979312682c41",%q,%q]}`,
		names.Message(3), names.Message(2), names.Message(1), upper, names.Batch(1))), &admission.Pass{Account: owner})
	unknown := func(name string) string {
		return `{"messageId":"` + name + `","status":-1,"statusText":"شناسه پیام معتبر نمی باشد"}`
	}
	delivered := `","status":1,"statusText":"رسیده به گوشی","recipientNumber":"09121234567","statusTimestamp":1770177035}`
	want := `{"messages":[{"messageId":"` + names.Message(3) + `","status":0,"statusText":"در صف ارسال","recipientNumber":"09351234567","statusTimestamp":1770177035},` +
		unknown(names.Message(2)) + `,{"messageId":"` + names.Message(1) + delivered + `,` + unknown("e1d20dd8-a346-40e1-95c7-979312682c41") +
		`,{"messageId":"` + upper + delivered + `,` + unknown(names.Batch(1)) + `]}`
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" {
		t.Error(diff)
	}
}

// What is none of ours asks the store nothing.
func TestStatusOfNothing(t *testing.T) {
	t.Parallel()
	r := dialecttest.Route(t, New(Deps{Names: someNames()}), "POST", "/messages/status")
	reply, _ := dialecttest.Walk(t, r, post(`{"sentMessageIdes":["e1d20dd8-a346-40e1-95c7-979312682c41"]}`), &admission.Pass{Account: owner})
	want := `{"messages":[{"messageId":"e1d20dd8-a346-40e1-95c7-979312682c41","status":-1,"statusText":"شناسه پیام معتبر نمی باشد"}]}`
	if string(reply.Body) != want {
		t.Errorf("%s, want %s", reply.Body, want)
	}
}

// TestEveryStateIsTold: by a number and a text of its own.
func TestEveryStateIsTold(t *testing.T) {
	t.Parallel()
	codes, texts := map[int]bool{noMessage.code: true}, map[string]bool{noMessage.text: true}
	for state := sms.Queued; state <= sms.Blocked; state++ {
		d, known := deliveries[state]
		if !known || codes[d.code] || texts[d.text] {
			t.Errorf("state %d is told as %+v, like another", state, d)
		}
		codes[d.code], texts[d.text] = true, true
	}
}

func TestStatusOfBatch(t *testing.T) {
	t.Parallel()
	names := someNames()
	deps := Deps{Names: names, Sent: func(_ context.Context, q sms.Sent) ([]sms.Batch, error) {
		if q != (sms.Sent{Account: "acc-1", Batch: 7, Limit: 1}) {
			return nil, nil
		}
		return []sms.Batch{{ID: 7, Due: time.Unix(1_770_177_035, 0), Messages: []sms.Message{
			{ID: 7, State: sms.Cancelled, Recipient: mobile(t, "09121234567")}, {ID: 8, State: sms.Blocked, Recipient: mobile(t, "09351234567")},
		}}}, nil
	}}
	r := dialecttest.Route(t, New(deps), "GET", "/messages/status/{batchId...}")
	request := get("/messages/status/x")
	request.SetPathValue("batchId", names.Batch(7))
	reply, _ := dialecttest.Walk(t, r, request, &admission.Pass{Account: owner})
	want := `{"batchId":"` + names.Batch(7) + `","sendTimestamp":1770177035,"messages":[` +
		`{"messageId":"` + names.Message(7) + `","status":6,"statusText":"لغو شده","recipientNumber":"09121234567"},` +
		`{"messageId":"` + names.Message(8) + `","status":27,"statusText":"شماره گیرنده در لیست سیاه","recipientNumber":"09351234567"}]}`
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" {
		t.Error(diff)
	}
	if _, _, err := r.Steps.Ask(t.Context(), &admission.Pass{Account: owner}, int64(8)); fault.From(err).Code != fault.NotFound {
		t.Errorf("a batch that is not there: %v", err)
	}
}

func TestDecodeCount(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{"count=1": 1, "count=100": 100, "COUNT=%DB%B5": 5, "x=1&count=+7+": 7} {
		if got, err := decodeCount(get("/messages/received/recent?" + query)); err != nil || got != want {
			t.Errorf("%s: %d, %v", query, got, err)
		}
	}
	for _, query := range []string{"", "count", "count=", "count=0", "count=101", "count=-1", "count=1.0", "count=x", "count=1&count=2", "count=99999999999999999999"} {
		_, err := decodeCount(get("/messages/received/recent?" + query))
		if diff := cmp.Diff(countFault.Fields, fault.From(err).Fields); diff != "" {
			t.Errorf("%s: %v %s", query, err, diff)
		}
	}
	if _, err := decodeCount(get("/messages/received/recent?count=%zz")); fault.From(err).Code != fault.Malformed {
		t.Errorf("got %v, want malformed", err)
	}
}

func TestReceived(t *testing.T) {
	t.Parallel()
	names := someNames()
	deps := Deps{Names: names, Incoming: func(_ context.Context, q sms.Inbox) ([]sms.Incoming, error) {
		if q != (sms.Inbox{Account: "acc-1", Limit: 2}) {
			return nil, fmt.Errorf("asked for %+v", q)
		}
		return []sms.Incoming{
			{ID: 2, Line: "30001234", Sender: "09121234567", Text: "لغو", At: time.Unix(1_770_177_036, 0), Read: true},
			{ID: 1, Line: "30001234", Sender: "BANK", Text: "a<b>\"", At: time.Unix(1_770_177_035, 0)},
		}, nil
	}}
	r := dialecttest.Route(t, New(deps), "GET", "/messages/received/recent")
	reply, answer := dialecttest.Walk(t, r, get("/messages/received/recent?count=2"), &admission.Pass{Account: owner})
	want := `{"messages":[` +
		`{"messageId":"` + names.Incoming(2) + `","senderNumber":"09121234567","recipientNumber":"30001234","content":"لغو","receiveTimestamp":1770177036},` +
		`{"messageId":"` + names.Incoming(1) + `","senderNumber":"BANK","recipientNumber":"30001234","content":"a<b>\"","receiveTimestamp":1770177035}]}`
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" {
		t.Error(diff)
	}
	if r.Steps.Effect(answer).Read != nil {
		t.Error("asking for what is recent marks it as read")
	}
}

func FuzzDecodeReports(f *testing.F) {
	f.Add([]byte(`{"sentMessageIdes":["e1d20dd8-a346-40e1-95c7-979312682c41"]}`), "count=10")
	f.Add([]byte(`{"sentMessageIdes":[1]}`), "count=%")
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		names, err := decodeStatus(post(string(body)))
		if err == nil && (len(names) < 1 || len(names) > 100) || err != nil && fault.From(err).Code.Ours() {
			t.Errorf("%d names, %v", len(names), err)
		}
		for _, name := range names {
			if id, ok := someNames().ParseMessage(name); ok && someNames().Message(id) != strings.ToLower(name) {
				t.Errorf("%q is taken for %d", name, id)
			}
		}
		r := get("/messages/received/recent")
		r.URL.RawQuery = query
		n, err := decodeCount(r)
		if err == nil && (n < 1 || n > 100) || err != nil && fault.From(err).Code.Ours() {
			t.Errorf("%d, %v", n, err)
		}
	})
}
