package sabapayamak

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// get is a request whose address has this after its path.
func get(rawQuery string) *dialect.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.RawQuery = rawQuery
	return &dialect.Request{Request: r, At: time.Unix(1_790_000_000, 0), ID: "call-1"}
}

// plainMessage is a message as tests compare it: each recipient as the caller
// wrote it and, where it is one, as a number.
func plainMessage(m message) []string {
	out := []string{m.text}
	for _, r := range m.to {
		out = append(out, r.given+"="+r.mobile.Local())
	}
	return out
}

func TestDecodeSend(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want []string
	}{
		{"as the libraries send it", `{"Text":"سلام","Numbers":["9121234567","9351234567"]}`, []string{"سلام", "9121234567=09121234567", "9351234567=09351234567"}},
		{"names in lower case", `{"text":"hi","numbers":["9121234567"]}`, []string{"hi", "9121234567=09121234567"}},
		{"numbers as numbers", `{"Text":"hi","Numbers":[9121234567,"09121234567"]}`, []string{"hi", "9121234567=09121234567", "09121234567=09121234567"}},
		{"a number for a text", `{"Text":12345,"Numbers":[9121234567]}`, []string{"12345", "9121234567=09121234567"}},
		{"all forms", `{"Text":"hi","Numbers":["+989121234567","00989121234567","989121234567","۰۹۱۲ ۱۲۳-۴۵۶۷"]}`, []string{
			"hi", "+989121234567=09121234567", "00989121234567=09121234567", "989121234567=09121234567", "۰۹۱۲ ۱۲۳-۴۵۶۷=09121234567",
		}},
		{"no mobiles among them", `{"Text":"hi","Numbers":["02188888888","9121234567","","abc","+14155550100"]}`, []string{
			"hi", "02188888888=", "9121234567=09121234567", "=", "abc=", "+14155550100=",
		}},
		{"a text stays as it is", "{\"Text\":\" ي\u200f\\n \",\"Numbers\":[\"9121234567\"]}", []string{" ي\u200f\n ", "9121234567=09121234567"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeSend(post(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, plainMessage(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// many is a JSON list of n numbers.
func many(n int) string {
	return `["9121234567"` + strings.Repeat(`,"9121234567"`, n-1) + `]`
}

// codes are what a refusal says: its status and the code of each problem.
func codes(t *testing.T, r dialect.Reply) []string {
	t.Helper()
	list := []string{strconv.Itoa(r.Status)}
	for _, part := range strings.Split(string(r.Body), `"code":`)[1:] {
		code, _, _ := strings.Cut(part, ",")
		list = append(list, code)
	}
	return list
}

func TestDecodeSendComplains(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{}`:                                      {"400", "13", "106"},
		`{"Text":null,"Numbers":null}`:            {"400", "13", "106"},
		`{"Text":" \n","Numbers":[]}`:             {"400", "13", "106"},
		`{"Text":"","Numbers":["912"]}`:           {"400", "13"},
		`{"Text":"hi","Numbers":[]}`:              {"400", "106"},
		`{"Text":"hi","Numbers":null}`:            {"400", "106"},
		`{"Text":"hi","Numbers":"912"}`:           {"400", "19"},
		`{"Text":{},"Numbers":{}}`:                {"400", "19", "19"},
		`{"Text":"hi","Numbers":[null]}`:          {"400", "19"},
		`{"Text":"hi","Numbers":[["912"]]}`:       {"400", "19"},
		`{"Text":"hi","Numbers":[true]}`:          {"400", "19"},
		`[]`:                                      {"400", "19"},
		`{"Text":"hi"`:                            {"400", "19"},
		`{"Text":"hi","text":"hi"}`:               {"400", "19"},
		`{"Text":"","Numbers":` + many(101) + `}`: {"400", "107"},
	} {
		_, err := decodeSend(post(body))
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Errorf("%.40s: got %v, want a fault", body, err)
			continue
		}
		if diff := cmp.Diff(want, codes(t, refuse(nil, f))); diff != "" {
			t.Errorf("%.40s: %s", body, diff)
		}
	}
	if m, err := decodeSend(post(`{"Text":"hi","Numbers":` + many(100) + `}`)); err != nil || len(m.to) != 100 {
		t.Errorf("a hundred: %d, %v", len(m.to), err)
	}
}

func TestDecodeQuery(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		query string
		names queryNames
		want  []string // user, password, line, text, recipients
	}{
		{"as the libraries send it", "UserName=user&Password=p%40ss&From=30001234&To=9121234567,9351234567&Text=%D8%B3+a", ofMessages,
			[]string{"user", "p@ss", "30001234", "س a", "9121234567=09121234567", "9351234567=09351234567"}},
		{"names in lower case, nothing escaped", "username=user&password=p@ss&from=+983000-1234&to=9121234567&text=سلام", ofMessages,
			[]string{"user", "p@ss", "9830001234", "سلام", "9121234567=09121234567"}},
		{"a comma too many", "username=user&password=p&from=3000&to=9121234567,&text=a", ofOldMessages,
			[]string{"user", "p", "3000", "a", "9121234567=09121234567", "="}},
		{"credit", "username=user&password=p", ofOldCredit, []string{"user", "p", "", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q, err := decodeQuery(get(test.query), test.names)
			if err != nil {
				t.Fatal(err)
			}
			got := append([]string{q.username, q.password, q.line}, plainMessage(q.message)...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeQueryComplains(t *testing.T) {
	t.Parallel()
	const whole = "username=u&password=p&from=1&to=9121234567&text=a"
	without := func(name string) string {
		fields, _ := url.ParseQuery(whole)
		fields.Del(name)
		return fields.Encode()
	}
	for query, want := range map[string][2]string{ // codes of both interfaces
		"":                  {"400 19 19 19 106 13", "3"},
		without("username"): {"400 19", "3"},
		without("password"): {"400 19", "4"},
		without("from"):     {"400 19", "5"},
		without("to"):       {"400 106", "6"},
		without("text"):     {"400 13", "7"},
		whole + "&To=1":     {"400 19", "0"},
		whole + "&x=%zz":    {"400 19", "0"},
		whole + "&x=%ff":    {"400 19", "0"},
		"username=u&password=p&from=1&text=a&to=" + strings.Repeat("1,", 100) + "1": {"400 107", "11"},
	} {
		_, err := decodeQuery(get(query), ofMessages)
		_, oldErr := decodeQuery(get(query), ofOldMessages)
		if err == nil || oldErr == nil {
			t.Errorf("%q: taken", query)
			continue
		}
		got := [2]string{strings.Join(codes(t, refuse(nil, fault.From(err))), " "), string(refuseOldSend(nil, fault.From(oldErr)).Body)}
		if got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
}

// outbox makes a batch of an order as a desk does, and remembers the order.
type outbox struct {
	order   sms.Order
	blocked string // recipient
	err     error
}

func (o *outbox) send(_ context.Context, order sms.Order) (sms.Batch, error) {
	o.order = order
	b := sms.Batch{ID: 700, Account: order.Account.ID, Call: order.Call, At: order.At}
	for i, to := range order.Recipients {
		m := sms.Message{ID: 700 + int64(i), Line: order.Lines[0], Recipient: to, Text: order.Texts[0], Parts: 1, Price: 1500}
		if to.Local() == o.blocked {
			m.State, m.Price = sms.Blocked, 0
		}
		b.Price += m.Price
		b.Messages = append(b.Messages, m)
	}
	return b, o.err
}

var sender = &admission.Pass{
	Account: &account.Account{ID: "acc-1", Number: 7, QueryLogin: true},
	Line:    account.Line{Number: "30001234"},
}

func TestSend(t *testing.T) {
	t.Parallel()
	box := &outbox{blocked: "09351234567"}
	d := New(Deps{Send: box.send})
	r := dialecttest.Route(t, d, "POST", "/api/v1/message")
	req := post(`{"Text":"سلام","Numbers":["9121234567","02188888888","9351234567",9361234567]}`)
	req.ID, req.At = "call-1", time.Unix(1_790_000_000, 0)

	reply, answer := dialecttest.Walk(t, r, req, sender)
	const accepted, want = "با موفقیت ارسال شد", `{"ID":700,"MessageStatus":0,"Message":"با موفقیت ارسال شد","Credit":3000,"Detail":[` +
		`{"Status":0,"Message":"با موفقیت ارسال شد","Number":"9121234567","RecID":700},` +
		`{"Status":1,"Message":"شماره گیرنده نادرست است","Number":"02188888888","RecID":0},` +
		`{"Status":27,"Message":"شماره گیرنده در لیست سیاه اپراتور قرار دارد","Number":"9351234567","RecID":0},` +
		`{"Status":0,"Message":"با موفقیت ارسال شد","Number":"9361234567","RecID":702}]}`
	if diff := cmp.Diff(`{"status":"200","message":"با موفقیت انجام شد","id":1,"data":`+want+`,"errors":[]}`, string(reply.Body)); diff != "" {
		t.Error(diff)
	}
	if price := r.Steps.Price(answer); price != 3000 {
		t.Errorf("price %v", price)
	}
	if e := r.Steps.Effect(answer); e.Batch == nil || e.Batch.ID != 700 || len(e.Batch.Messages) != 3 {
		t.Errorf("effect %+v", e)
	}
	wanted := sms.Order{
		Account: sender.Account, Call: "call-1", At: req.At, Lines: []string{"30001234"}, Texts: []string{"سلام"},
		Recipients: mobiles(t, "09121234567", "09351234567", "09361234567"),
		Fields:     sms.Fields{Lines: "VirtualNumber", Recipients: "Numbers", Texts: "Text"},
	}
	sameMobile := cmp.Comparer(func(a, b persian.Mobile) bool { return a == b })
	if diff := cmp.Diff(wanted, box.order, sameMobile, cmp.Comparer(func(a, b *account.Account) bool { return a == b })); diff != "" {
		t.Errorf("the order: %s", diff)
	}
}

func mobiles(t *testing.T, numbers ...string) (list []persian.Mobile) {
	t.Helper()
	for _, n := range numbers {
		m, err := persian.ParseMobile(n)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// TestSendToNobody: where no recipient is a mobile nothing is asked, sent or
// charged.
func TestSendToNobody(t *testing.T) {
	t.Parallel()
	r := dialecttest.Route(t, New(Deps{}), "POST", "/api/v1/messages")
	reply, answer := dialecttest.Walk(t, r, post(`{"Text":"hi","Numbers":["021"]}`), sender)
	if r.Steps.Price(answer) != 0 || r.Steps.Effect(answer).Batch != nil {
		t.Error("something is sold")
	}
	want := `"data":{"ID":0,"MessageStatus":1,"Message":"شماره گیرنده نادرست است","Credit":0,"Detail":[{"Status":1,`
	if !strings.Contains(string(reply.Body), want) {
		t.Errorf("got %s, want %s", reply.Body, want)
	}
	old := dialecttest.Route(t, New(Deps{}), "GET", "/API/SendSms.ashx")
	reply, _ = dialecttest.Walk(t, old, get("username=u&password=p&from=1&to=021&text=a"), sender)
	if string(reply.Body) != "6" || reply.Type != "text/plain; charset=utf-8" || reply.Status != 200 {
		t.Errorf("got %+v", reply)
	}
}

func TestSendByAddress(t *testing.T) {
	t.Parallel()
	const query = "UserName=u&Password=p&From=30001234&To=9121234567,021,9351234567&Text=a"
	for path, want := range map[string]string{
		"/api/v1/message":     `"Number":"021","RecID":0},{"Status":0,"Message":"با موفقیت ارسال شد","Number":"9351234567","RecID":701}]}`,
		"/api/v1/message/{$}": `"Credit":3000`,
		"/API/SendSms.ashx":   "700,0,701",
	} {
		box := &outbox{}
		r := dialecttest.Route(t, New(Deps{Send: box.send}), "GET", path)
		reply, answer := dialecttest.Walk(t, r, get(query), sender)
		if !strings.Contains(string(reply.Body), want) {
			t.Errorf("%s: got %s, want %s", path, reply.Body, want)
		}
		if r.Steps.Price(answer) != 3000 || r.Steps.Effect(answer).Batch == nil {
			t.Errorf("%s: nothing is sold", path)
		}
		if diff := cmp.Diff([]string{"30001234"}, box.order.Lines); diff != "" {
			t.Errorf("%s: lines %s", path, diff)
		}
	}
}

// TestQueryLoginIsASwitch: an account that has it off sends nothing by a
// password in an address, and is told no more than that it may not.
func TestQueryLoginIsASwitch(t *testing.T) {
	t.Parallel()
	off := &admission.Pass{Account: &account.Account{ID: "acc-1"}, Line: sender.Line}
	for path, want := range map[string]string{
		"/api/v1/message": `"code":22,`, "/api/v1/message/{$}": `"code":22,`, "/API/SendSms.ashx": "2", "/API/GetCredit.ashx": "-2",
	} {
		d := New(Deps{})
		r := dialecttest.Route(t, d, "GET", path)
		_, err := r.Steps.Open(get("username=u&password=p&from=1&to=9121234567&text=a"), off)
		if got := string(r.Refuse(nil, fault.From(err)).Body); err == nil || !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestWhoAsks(t *testing.T) {
	t.Parallel()
	d := New(Deps{Domain: func(host string) string { return "domain of " + host }})
	for path, want := range map[string]admission.Password{
		"/api/v1/message":     {Username: "u", Password: " p", Line: "30001234"},
		"/API/SendSms.ashx":   {Username: "u", Password: " p", Line: "30001234"},
		"/API/GetCredit.ashx": {Username: "u", Password: " p"},
	} {
		req := get("UserName=u&Password=+p&From=30001234&To=9121234567&Text=a")
		req.Host = "panel.example"
		want.Domain, want.Elsewhere = "domain of panel.example", true
		if got, err := dialecttest.Route(t, d, "GET", path).Who(req); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", path, got, err, want)
		}
	}
}

func TestOldCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[fault.Code]string{
		fault.Credentials: "200 0 -1", fault.Domain: "200 0 -1", fault.Credit: "200 1 -1", fault.Disabled: "200 2 -2",
		fault.Expired: "200 2 -2", fault.Address: "200 2 -2", fault.Rate: "200 2 -2", fault.Quota: "200 2 -2", fault.Service: "200 2 -2",
		fault.Line: "200 9 -9", fault.LineStatus: "200 9 -9", fault.TooMany: "200 11 -11", fault.TooLong: "200 7 -7",
		fault.Unavailable: "503 10 -10", fault.Internal: "503 10 -10",
	} {
		send, credit := refuseOldSend(nil, fault.New(code)), refuseOldCredit(nil, fault.New(code))
		if got := strconv.Itoa(send.Status) + " " + string(send.Body) + " " + string(credit.Body); got != want || credit.Status != send.Status {
			t.Errorf("%v: got %s, want %s", code, got, want)
		}
	}
}

// FuzzDecodeSend: what is taken has a text and one to a hundred recipients, all
// of which the caller named.
func FuzzDecodeSend(f *testing.F) {
	for _, seed := range []string{
		`{"Text":"a","Numbers":["9121234567",9121234567,"x"]}`, `{"text":1,"numbers":"1,2"}`, `{"Text":"a","Numbers":[]}`, `{`, "", `{"Text":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := decodeSend(post(string(body)))
		checkFuzzed(t, m, err)
	})
}

// FuzzDecodeQuery is the same for addresses.
func FuzzDecodeQuery(f *testing.F) {
	for _, seed := range []string{
		"username=u&password=p&from=1&to=9121234567,021&text=a", "UserName=%D8&Password", "to=,&text=+", "%zz", "a=1&A=2", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := decodeQuery(get(raw), ofMessages)
		if checkFuzzed(t, q.message, err); err == nil && (q.username == "" || q.password == "" || q.line == "") {
			t.Error("taken although incomplete")
		}
	})
}

func checkFuzzed(t *testing.T, m message, err error) {
	t.Helper()
	var refused *fault.Error
	switch {
	case err == nil && (strings.TrimSpace(m.text) == "" || len(m.to) == 0 || len(m.to) > sms.MaxMessages):
		t.Errorf("taken: %d bytes to %d", len(m.text), len(m.to))
	case err != nil && (!errors.As(err, &refused) || refused.Code.Ours()):
		t.Errorf("not a fault of the caller: %v", err)
	}
}
