package sabapayamak

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
)

// evening is 14:14:15 of the second of Bahman 1402 in Tehran.
var evening = time.Date(2024, 1, 22, 10, 44, 15, 999, time.UTC)

func batch(t *testing.T, states ...sms.State) *sms.Batch {
	t.Helper()
	b := &sms.Batch{ID: 70, Account: "acc-1", At: evening}
	to := mobiles(t, "09121234567")[0]
	for i, s := range states {
		m := sms.Message{ID: 70 + int64(i), Line: "30001234", Recipient: to, Text: "سلام", Coding: sms.UCS2, Parts: 1, Price: 1500, State: s}
		if s != sms.Queued && !s.Free() {
			m.SentAt = evening.Add(time.Second)
		}
		b.Price += m.Price
		b.Messages = append(b.Messages, m)
	}
	return b
}

func TestMessageRow(t *testing.T) {
	t.Parallel()
	b := batch(t, sms.Delivered, sms.Failed, sms.Queued)
	reply, err := encoder{}.messages(&account.Account{Number: 7}, []sms.Batch{*b})
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"MessageID":70,"UserID":7,"Body":"سلام","Sender":"30001234","MessagePage":1,"Credit":3000,"InsertDate":"2024-01-22T14:14:15",` +
		`"IsUnicode":true,"MessageCount":3,"Status":1,"StatusDesc":"ارسال شده","Deliveries":[` +
		`{"RecordID":70,"MessageID":70,"SendDate":"2024-01-22T14:14:16","Number":"9121234567","DeliveryFlag":1,"DeliveryDesc":"رسیده به گوشی"},` +
		`{"RecordID":71,"MessageID":70,"SendDate":"2024-01-22T14:14:15","Number":"9121234567","DeliveryFlag":16,"DeliveryDesc":"نرسیده به مخابرات"},` +
		`{"RecordID":72,"MessageID":70,"SendDate":"2024-01-22T14:14:15","Number":"9121234567","DeliveryFlag":0,"DeliveryDesc":"ارسال شده"}]}]`
	if diff := cmp.Diff(data(want), string(reply.Body)); diff != "" {
		t.Error(diff)
	}
}

// TestErasedMessages: what was erased is empty, and the row still there.
func TestErasedMessages(t *testing.T) {
	t.Parallel()
	b := &sms.Batch{ID: 70, At: evening, Messages: []sms.Message{{ID: 70, State: sms.Delivered}}}
	reply, err := encoder{}.message(&account.Account{Number: 7}, []sms.Batch{*b})
	if want := `"Number":"","DeliveryFlag":1,`; err != nil || !strings.Contains(string(reply.Body), want) {
		t.Errorf("got %s, %v; want %s", reply.Body, err, want)
	}
}

func data(text string) string {
	return `{"status":"200","message":"با موفقیت انجام شد","id":1,"data":` + text + `,"errors":[]}`
}

// TestShapesAreThePages: names, their order and the types, all the way down.
func TestShapesAreThePages(t *testing.T) {
	t.Parallel()
	b := batch(t, sms.Delivered)
	owner := &account.Account{Number: 7}
	messages, err1 := encoder{}.messages(owner, []sms.Batch{*b})
	delivered, err2 := encoder{}.deliveries(owner, []sms.Batch{*b})
	incoming, err3 := encoder{}.received(nil, sms.Inbox{}, handed{messages: []sms.Incoming{{Text: "a"}}})
	rows, err4 := encoder{}.credit(nil, wallet{Query: ledger.Query{Limit: 1}}, purse{rows: []ledger.Entry{{Kind: ledger.Charge, Messages: true}}})
	result, err5 := encoder{}.result(nil, sending{message: message{to: []recipient{newRecipient("9121234567")}}}, b)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Fatalf("%d: %v", i+1, err)
		}
	}
	for file, reply := range map[string]dialect.Reply{
		"messages": messages, "deliveries": delivered, "received": incoming, "credits": rows, "send": result,
	} {
		page, err := os.ReadFile("testdata/page/answers/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		before, after, _ := strings.Cut(data(""), `,"errors"`)
		body := strings.TrimSuffix(strings.TrimPrefix(string(reply.Body), before), `,"errors"`+after)
		t.Run(file, func(t *testing.T) { dialecttest.SameShape(t, page, []byte(body)) })
	}
}

func TestEveryStateHasAFlag(t *testing.T) {
	t.Parallel()
	for s := sms.Queued; s <= sms.Blocked; s++ {
		flag, ok := flags[s]
		if !ok || flag.text == "" {
			t.Errorf("state %d has no flag", s)
		}
		if waits := flag.number == 0 || flag.number == 8; waits == s.Final() {
			t.Errorf("state %d: flag %d tells clients otherwise whether to ask again", s, flag.number)
		}
	}
}

func TestStatusOfAMessage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		states []sms.State
		want   worded
	}{
		{[]sms.State{sms.Queued, sms.Queued}, inQueue},
		{[]sms.State{sms.Queued, sms.Blocked}, inQueue},
		{[]sms.State{sms.Queued, sms.Submitted}, isSent},
		{[]sms.State{sms.Delivered, sms.Failed}, isSent},
		{[]sms.State{sms.Undelivered}, isSent},
		{[]sms.State{sms.Cancelled, sms.Cancelled}, withdrawn},
		{[]sms.State{sms.Cancelled, sms.Blocked}, withdrawn},
		{[]sms.State{sms.Failed, sms.Blocked}, notSent},
	} {
		if got := statusOf(batch(t, test.states...)); got != test.want {
			t.Errorf("%v: got %v, want %v", test.states, got, test.want)
		}
	}
}

func TestDecodePeriod(t *testing.T) {
	t.Parallel()
	day := func(year, month, day int) time.Time {
		return time.Date(year, time.Month(month), day, 0, 0, 0, 0, persian.Tehran)
	}
	whole := period{day(2019, 3, 21), day(2020, 3, 21)} // 1398/01/01 to 1399/01/01, the latter in it
	for query, want := range map[string]period{
		"": {},
		"StartDate=1398/01/01&EndDate=1399/01/01":    whole,
		"startdate=1398%2F01%2F01&enddate=1399-1-1":  whole,
		"StartDate=1398/01/01&EndDate1399/01/01":     whole, // the Node library
		"StartDate1398/01/01&EndDate1399/01/01":      whole,
		"StartDate=1398/01/01&EndDate1399%2F01%2F01": whole,
		"StartDate=1398/01/01&EndDate1399/01/01=":    whole,
		"StartDate=۱۳۹۸/۰۱/۰۱&EndDate=2020-03-20":    whole,
		"StartDate=1398/01/01":                       {from: whole.from},
		"EndDate=1399/01/01":                         {until: whole.until},
		"StartDate=&EndDate=":                        {},
		"EndDate1399/01/01=5":                        {}, // another name
		"StartDate=1403/12/30":                       {from: day(2025, 3, 20)},
	} {
		got, err := decodePeriod(get(query))
		if err != nil || !got.from.Equal(want.from) || !got.until.Equal(want.until) {
			t.Errorf("%s: got %v, %v; want %v", query, got, err, want)
		}
	}
	for query, want := range map[string]string{
		"StartDate=1398/13/01&EndDate=x": "StartDate EndDate",
		"EndDate=1404/12/30":             "EndDate",
		"EndDatehere":                    "EndDate",
		"StartDate=1398/01/01 12:00":     "StartDate",
	} {
		_, err := decodePeriod(get(query))
		var names []string
		for _, f := range fault.From(err).Fields {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); err == nil || got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if _, err := decodePeriod(get("StartDate=%zz")); fault.From(err).Code != fault.Malformed {
		t.Errorf("got %v, want malformed", err)
	}
}

func FuzzDecodePeriod(f *testing.F) {
	for _, seed := range []string{"StartDate=1398/01/01&EndDate1399/01/01", "enddate", "EndDate=%zz", "StartDate=20240320"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := decodePeriod(get(raw))
		if err != nil && fault.From(err).Code.Ours() {
			t.Errorf("not a fault of the caller: %v", err)
		}
		for _, at := range []time.Time{p.from, p.until} {
			if !at.IsZero() && !at.Equal(persian.DateOf(at).Time()) {
				t.Errorf("%v is not where a day begins", at)
			}
		}
	})
}

// shelf answers every question with the same, and remembers what was asked.
type shelf struct {
	sent     sms.Sent
	inbox    sms.Inbox
	query    ledger.Query
	batches  []sms.Batch
	incoming []sms.Incoming
}

func (s *shelf) deps() Deps {
	return Deps{
		Sent:     func(_ context.Context, q sms.Sent) ([]sms.Batch, error) { s.sent = q; return s.batches, nil },
		Incoming: func(_ context.Context, q sms.Inbox) ([]sms.Incoming, error) { s.inbox = q; return s.incoming, nil },
		Entries:  func(_ context.Context, q ledger.Query) ([]ledger.Entry, error) { s.query = q; return nil, nil },
		Balance:  func(context.Context, string) (rial.Amount, error) { return 5, nil },
	}
}

// ask walks the route that a mux finds for an address.
func (s *shelf) ask(t *testing.T, target string) (string, dialect.Effect) {
	t.Helper()
	d := New(s.deps())
	reply, effect := "no route", dialect.Effect{}
	mux := http.NewServeMux()
	for i := range d.Routes {
		r := &d.Routes[i]
		mux.HandleFunc(r.Method+" "+r.Path, func(_ http.ResponseWriter, h *http.Request) {
			req := &dialect.Request{Request: h}
			pass := &admission.Pass{Account: &account.Account{ID: "acc-1", Number: 7, QueryLogin: true}}
			word := r.Refuse
			if word == nil {
				word = d.Refuse
			}
			question, err := r.Steps.Open(req, pass)
			var answer any
			if err == nil {
				answer, _, err = r.Steps.Ask(h.Context(), pass, question)
			}
			if err != nil {
				reply = strings.Join(codes(t, word(req, fault.From(err))), " ")
				return
			}
			got, err := r.Steps.Encode(req, question, answer)
			if err != nil {
				t.Error(err)
			}
			reply, effect = string(got.Body), r.Steps.Effect(answer)
		})
	}
	h, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	mux.ServeHTTP(nil, h)
	return reply, effect
}

func TestMessagesAreFound(t *testing.T) {
	t.Parallel()
	from, until := time.Date(2019, 3, 21, 0, 0, 0, 0, persian.Tehran), time.Date(2020, 3, 21, 0, 0, 0, 0, persian.Tehran)
	mobile := mobiles(t, "09121234567")[0]
	for _, top := range []string{"/api/v1/messages", "/api/v1/credit/messages"} {
		for target, want := range map[string]sms.Sent{
			top: {Account: "acc-1", Limit: batches},
			top + "?StartDate=1398/01/01&EndDate1399/01/01": {Account: "acc-1", Limit: batches, From: from, Until: until},
			top + "/70":                 {Account: "acc-1", Limit: batches, Batch: 70},
			top + "/number/9121234567":  {Account: "acc-1", Limit: batches, Recipient: mobile},
			"/api/v1/deliveries/70":     {Account: "acc-1", Limit: batches, Batch: 70},
			"/api/v1/deliveries/%DB%B7": {Account: "acc-1", Limit: batches, Batch: 7},
		} {
			s := &shelf{batches: []sms.Batch{*batch(t, sms.Delivered)}}
			reply, _ := s.ask(t, target)
			same := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
			if diff := cmp.Diff(want, s.sent, same, cmp.Comparer(func(a, b persian.Mobile) bool { return a == b })); diff != "" {
				t.Errorf("%s: %s", target, diff)
			}
			begin := `"data":[{"`
			if want.Batch != 0 && !strings.Contains(target, "deliveries") {
				begin = `"data":{"MessageID":70,`
			}
			if !strings.Contains(reply, begin) {
				t.Errorf("%s: got %s, want %s", target, reply, begin)
			}
		}
	}
}

func TestMessagesAreNotFound(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/api/v1/messages":                      data("[]"),
		"/api/v1/messages/70":                   "404 24",
		"/api/v1/messages/0":                    "404 24",
		"/api/v1/messages/-5":                   "404 24",
		"/api/v1/messages/abc":                  "404 24",
		"/api/v1/messages/99999999999999999999": "404 24",
		"/api/v1/deliveries/70":                 "404 24",
		"/api/v1/messages/number/02188888888":   "400 1",
		"/api/v1/messages/number/9121234567":    data("[]"),
		"/api/v1/messages?StartDate=tomorrow":   "400 19",
		"/api/v1/recived-messages":              data("[]"),
		"/api/v1/recived-messages/912/read":     "404 25",
		"/api/v1/credit/0":                      "400 19",
		"/api/v1/credit/1001":                   "400 19",
		"/api/v1/credit/all":                    "400 19",
		"/api/v1/credits/send-sms/0":            "400 19",
		"/api/v1/credits/recived/0":             "400 19",
		"/api/v1/credits?EndDate=1404/12/30":    "400 19",
	} {
		if got, _ := (&shelf{}).ask(t, target); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}

func TestIncomingAreFound(t *testing.T) {
	t.Parallel()
	from, until := time.Date(2019, 3, 21, 0, 0, 0, 0, persian.Tehran), time.Date(2020, 3, 21, 0, 0, 0, 0, persian.Tehran)
	const top = "/api/v1/recived-messages"
	for target, want := range map[string]sms.Inbox{
		top: {},
		top + "?StartDate=1398/01/01&EndDate=1399/01/01":            {From: from, Until: until},
		top + "/date/unread?StartDate=1398/01/01&EndDate1399/01/01": {From: from, Until: until, Unread: true},
		top + "/unread":                         {Unread: true},
		top + "/9121234567":                     {Sender: "9121234567"},
		top + "/9121234567/unread":              {Sender: "9121234567", Unread: true},
		top + "/virtaul-number/30001234":        {Line: "30001234"},
		top + "/virtaul-number/30001234/unread": {Line: "30001234", Unread: true},
		top + "/virtaul-number/unread":          {Line: "unread"},
	} {
		s := &shelf{incoming: []sms.Incoming{
			{ID: 9, Line: "30001234", Sender: "09121234567", Text: "بله", Parts: 1, At: evening, Read: true},
			{ID: 8, Line: "30001234", Sender: "MCI", Text: "x", Parts: 2, At: evening},
		}}
		reply, effect := s.ask(t, target)
		want.Account, want.Limit = "acc-1", most
		if diff := cmp.Diff(want, s.inbox, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Errorf("%s: %s", target, diff)
		}
		const rows = `[{"Body":"بله","Sender":"09121234567","Receiver":"30001234","MessageCount":1,"InsertDate":"2024-01-22T14:14:15","IsRead":true},` +
			`{"Body":"x","Sender":"MCI","Receiver":"30001234","MessageCount":2,"InsertDate":"2024-01-22T14:14:15","IsRead":false}]`
		if diff := cmp.Diff(data(rows), reply); diff != "" {
			t.Errorf("%s: %s", target, diff)
		}
		var read *sms.Read
		if want.Unread {
			read = &sms.Read{Account: "acc-1", Incoming: []int64{9, 8}}
		}
		if diff := cmp.Diff(read, effect.Read); diff != "" {
			t.Errorf("%s: read %s", target, diff)
		}
	}
	if _, effect := (&shelf{}).ask(t, top+"/unread"); effect.Read != nil {
		t.Errorf("nothing is there, and marked as read: %+v", effect.Read)
	}
}

func TestCreditIsFound(t *testing.T) {
	t.Parallel()
	from, until := time.Date(2019, 3, 21, 0, 0, 0, 0, persian.Tehran), time.Date(2020, 3, 21, 0, 0, 0, 0, persian.Tehran)
	for _, top := range []string{"/api/v1/credit", "/api/v1/credits"} {
		for rest, want := range map[string]ledger.Query{
			"?StartDate=1398/01/01&EndDate1399/01/01": {From: from, Until: until, Limit: most},
			"?EndDate=1399/01/01":                     {Until: until, Limit: most},
			"/100":                                    {Limit: 100},
			"/send-sms/1":                             {Limit: 1, Messages: true, Kinds: []ledger.Kind{ledger.Charge}},
			"/charge/1000":                            {Limit: 1000, Kinds: []ledger.Kind{ledger.Opening, ledger.TopUp}},
			"/money-back/۵":                           {Limit: 5, Kinds: []ledger.Kind{ledger.Refund}},
		} {
			s := &shelf{}
			reply, _ := s.ask(t, top+rest)
			want.Account = "acc-1"
			if diff := cmp.Diff(want, s.query, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" || reply != data("[]") {
				t.Errorf("%s: %s %s", top+rest, reply, diff)
			}
		}
		s := &shelf{}
		if reply, _ := s.ask(t, top+"/recived/5"); reply != data("[]") || s.query.Account != "" {
			t.Errorf("incoming messages cost something: %s", reply)
		}
	}
	if reply, _ := (&shelf{}).ask(t, "/api/v1/credit"); reply != data("5") {
		t.Errorf("credit is %s", reply)
	}
	if reply, _ := (&shelf{}).ask(t, "/api/v1/credits"); reply != data("[]") {
		t.Errorf("credits are %s", reply)
	}
	if reply, _ := (&shelf{}).ask(t, "/API/GetCredit.ashx"); reply != "5" {
		t.Errorf("the older interface says %s", reply)
	}
}

func TestCreditRows(t *testing.T) {
	t.Parallel()
	row := func(kind ledger.Kind, messages bool) ledger.Entry {
		return ledger.Entry{At: evening, Kind: kind, Amount: -1500, Balance: 10, Messages: messages}
	}
	got, err := encoder{camel: true}.credit(nil, wallet{Query: ledger.Query{Limit: 1}}, purse{rows: []ledger.Entry{row(ledger.Charge, true)}})
	const want = `[{"creditType":"ارسال","amount":-1500,"creditRemain":10,"descriptions":"هزینه ارسال پیامک","insertDate":"2024-01-22T14:14:15"}]`
	if err != nil || string(got.Body) != data(want) {
		t.Errorf("got %s, %v", got.Body, err)
	}
	for kind, want := range map[ledger.Kind]string{
		ledger.Charge: "سرویس", ledger.Reserve: "سرویس", ledger.Opening: "شارژ", ledger.TopUp: "شارژ",
		ledger.Refund: "برگشت وجه", ledger.Release: "برگشت وجه", ledger.Correction: "اصلاح",
	} {
		e := row(kind, false)
		if got, description := kindOf(&e); got != want || description == "" {
			t.Errorf("%s: got %q, %q", kind, got, description)
		}
	}
}
