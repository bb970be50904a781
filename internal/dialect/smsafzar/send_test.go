package smsafzar

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// told is an order in plain words: mobiles mask themselves.
type told struct {
	lines, recipients, texts []string
	due                      int64
	template                 string
	parameters               []sms.Parameter
}

func tell(o sms.Order) told {
	t := told{lines: o.Lines, texts: o.Texts, template: o.Template, parameters: o.Parameters}
	for _, r := range o.Recipients {
		t.recipients = append(t.recipients, r.Local())
	}
	if !o.Due.IsZero() {
		t.due = o.Due.Unix()
	}
	return t
}

func mobile(t testing.TB, number string) persian.Mobile {
	t.Helper()
	m, err := persian.ParseMobile(number)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// later is an hour from noon.
const later = 1_795_352_400

func TestDecodeOrders(t *testing.T) {
	t.Parallel()
	one := told{lines: []string{"30001234"}, recipients: []string{"09121234567"}, texts: []string{"سلام"}}
	scheduled := one
	scheduled.due = later
	for _, test := range []struct {
		name string
		read func(*dialect.Request) (sms.Order, error)
		body string
		want told
	}{
		{"one", decodeSend, `{"senderNumber":"30001234","recipientNumber":"09121234567","content":"سلام"}`, one},
		{"scheduled", decodeSend, `{"senderNumber":"30001234","recipientNumber":"09121234567","content":"سلام","sendTimestamp":1795352400}`, scheduled},
		{"null is not scheduled", decodeSend, `{"senderNumber":"30001234","recipientNumber":"09121234567","content":"سلام","sendTimestamp":null}`, one},
		{"Persian digits and blanks", decodeSend, `{"senderNumber":" ۳۰۰۰ ۱۲۳۴ ","recipientNumber":"۰۹۱۲ ۱۲۳ ۴۵۶۷","content":"سلام"}`, one},
		{"a text is sent as it came", decodeSend, `{"senderNumber":"30001234","recipientNumber":"09121234567","content":" كي\u200d \n"}`, told{
			lines: []string{"30001234"}, recipients: []string{"09121234567"}, texts: []string{" كي\u200d \n"},
		}},
		{"bulk, one text", decodeBulk, `{"senderNumbers":["30001234"],"recipientNumbers":["09121234567","9351234567"],"contents":["سلام"]}`, told{
			lines: []string{"30001234"}, recipients: []string{"09121234567", "09351234567"}, texts: []string{"سلام"},
		}},
		{"bulk, paired", decodeBulk, `{"senderNumbers":["1","+982"],"recipientNumbers":["09121234567","09351234567"],"contents":["a","b"],"sendTimestamp":1795352400}`, told{
			lines: []string{"1", "+982"}, recipients: []string{"09121234567", "09351234567"}, texts: []string{"a", "b"}, due: later,
		}},
		{"bulk, one recipient of several texts", decodeBulk, `{"senderNumbers":["1"],"recipientNumbers":["09121234567"],"contents":["a","b"]}`, told{
			lines: []string{"1"}, recipients: []string{"09121234567"}, texts: []string{"a", "b"},
		}},
		{"template, as the page has it", decodeTemplate, `{"senderNumber":"10001000","recipientNumber":"09100000000","templateId":"TydSt1skQE",` +
			`"parameters":[{"name":"code","value":"123456"},{"name":"price","value":"1,000,000"}],"sendTimestamp":1795352400}`, told{
			lines: []string{"10001000"}, recipients: []string{"09100000000"}, template: "TydSt1skQE", due: later,
			parameters: []sms.Parameter{{Name: "code", Value: "123456"}, {Name: "price", Value: "1,000,000"}},
		}},
		{"template with its own line", decodeTemplate, `{"recipientNumber":"09100000000","templateId":"TydSt1skQE","parameters":[{"name":"نام","value":""}]}`, told{
			recipients: []string{"09100000000"}, template: "TydSt1skQE", parameters: []sms.Parameter{{Name: "نام"}},
		}},
		{"template without parameters", decodeTemplate, `{"senderNumber":null,"recipientNumber":"09100000000","templateId":"TydSt1skQE"}`, told{
			recipients: []string{"09100000000"}, template: "TydSt1skQE",
		}},
		{"template with none of them", decodeTemplate, `{"recipientNumber":"09100000000","templateId":"TydSt1skQE","parameters":[]}`, told{
			recipients: []string{"09100000000"}, template: "TydSt1skQE",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.read(post(test.body))
			if diff := cmp.Diff(test.want, tell(got), cmp.AllowUnexported(told{})); diff != "" || err != nil {
				t.Error(err, diff)
			}
		})
	}
}

// The page names five forms of a recipient's number.
func TestRecipientForms(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"09121234567", "9121234567", "00989121234567", "+989121234567", "989121234567"} {
		o, err := decodeSend(post(`{"senderNumber":"1","recipientNumber":"` + form + `","content":"x"}`))
		if err != nil || o.Recipients[0] != mobile(t, "09121234567") {
			t.Errorf("%s is refused: %v", form, err)
		}
	}
}

func TestDecodeOrdersComplains(t *testing.T) {
	t.Parallel()
	bad := func(name string, rule fault.Rule) fault.Field { return fault.Field{Name: name, Rule: rule} }
	for _, test := range []struct {
		name string
		read func(*dialect.Request) (sms.Order, error)
		body string
		want []fault.Field
	}{
		{"nothing", decodeSend, `{}`, []fault.Field{
			bad("senderNumber", fault.Missing), bad("recipientNumber", fault.Missing), bad("content", fault.Missing),
		}},
		{"blanks", decodeSend, `{"senderNumber":" ","recipientNumber":"\u200f","content":" \n"}`, []fault.Field{
			bad("senderNumber", fault.Missing), bad("recipientNumber", fault.Missing), bad("content", fault.Missing),
		}},
		{"other types", decodeSend, `{"senderNumber":30001234,"recipientNumber":9121234567,"content":["x"],"sendTimestamp":"1795352400"}`, []fault.Field{
			bad("senderNumber", fault.Type), bad("recipientNumber", fault.Type), bad("content", fault.Type), bad("sendTimestamp", fault.Type),
		}},
		{"a landline", decodeSend, `{"senderNumber":"1","recipientNumber":"03134369080","content":"x"}`, []fault.Field{bad("recipientNumber", fault.Form)}},
		{"abroad", decodeSend, `{"senderNumber":"1","recipientNumber":"+12025550123","content":"x"}`, []fault.Field{bad("recipientNumber", fault.Form)}},
		{"now is over", decodeSend, `{"senderNumber":"1","recipientNumber":"09121234567","content":"x","sendTimestamp":1795348800}`, []fault.Field{bad("sendTimestamp", fault.Past)}},
		{"0", decodeSend, `{"senderNumber":"1","recipientNumber":"09121234567","content":"x","sendTimestamp":0}`, []fault.Field{bad("sendTimestamp", fault.Past)}},
		{"milliseconds", decodeSend, `{"senderNumber":"1","recipientNumber":"09121234567","content":"x","sendTimestamp":1795352400000}`, []fault.Field{bad("sendTimestamp", fault.Form)}},
		{"half a second", decodeSend, `{"senderNumber":"1","recipientNumber":"09121234567","content":"x","sendTimestamp":1795352400.5}`, []fault.Field{bad("sendTimestamp", fault.Type)}},
		{"bulk, nothing", decodeBulk, `{"contents":[]}`, []fault.Field{
			bad("senderNumbers", fault.Missing), bad("recipientNumbers", fault.Missing), bad("contents", fault.Missing),
		}},
		{"bulk, other types", decodeBulk, `{"senderNumbers":"1","recipientNumbers":{},"contents":[1,"x",null]}`, []fault.Field{
			bad("senderNumbers", fault.Type), bad("recipientNumbers", fault.Type), bad("contents[0]", fault.Type), bad("contents[2]", fault.Missing),
		}},
		{"bulk, each bad number is named", decodeBulk, `{"senderNumbers":["1"],"recipientNumbers":["09121234567","0912","","09351234567x"],"contents":["x"]}`, []fault.Field{
			bad("recipientNumbers[1]", fault.Form), bad("recipientNumbers[2]", fault.Missing), bad("recipientNumbers[3]", fault.Form),
		}},
		{"template, nothing", decodeTemplate, `{}`, []fault.Field{bad("recipientNumber", fault.Missing), bad("templateId", fault.Missing)}},
		{"template, other types", decodeTemplate, `{"senderNumber":1,"recipientNumber":"09121234567","templateId":7,"parameters":{"code":"1"}}`, []fault.Field{
			bad("senderNumber", fault.Type), bad("templateId", fault.Type), bad("parameters", fault.Type),
		}},
		{
			"template, parameters", decodeTemplate,
			`{"recipientNumber":"09121234567","templateId":"x","parameters":["a",{},{"name":" ","value":7},{"name":"a","value":"` + strings.Repeat("۱", 101) + `"}]}`,
			[]fault.Field{
				bad("parameters[0]", fault.Form), bad("parameters[1].name", fault.Missing), bad("parameters[1].value", fault.Missing),
				bad("parameters[2].name", fault.Missing), bad("parameters[2].value", fault.Type),
				{Name: "parameters[3].value", Rule: fault.Long, Max: 100},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := test.read(post(test.body))
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid {
				t.Fatalf("got %v, want invalid", err)
			}
			if diff := cmp.Diff(test.want, f.Fields); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A hundred values are taken in each list, more in none.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	list := func(n int, text string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`"`+text+`",`, n), ",") + "]"
	}
	for name, sizes := range map[string][4]int{ // senders, recipients, texts, and how many messages: 0 is too many
		"all full": {100, 100, 100, 100}, "senders": {101, 1, 1, 0}, "recipients": {1, 101, 1, 0}, "texts": {1, 1, 101, 0},
		"more than any body may have": {1, 1200, 1, 0},
	} {
		o, err := decodeBulk(post(fmt.Sprintf(`{"senderNumbers":%s,"recipientNumbers":%s,"contents":%s}`,
			list(sizes[0], "1"), list(sizes[1], "09121234567"), list(sizes[2], "x"))))
		switch f := fault.From(err); {
		case sizes[3] == 0 && (err == nil || f.Code != fault.TooMany || f.Limit != 100):
			t.Errorf("%s: %v", name, err)
		case sizes[3] > 0 && (err != nil || len(o.Recipients) != sizes[3]):
			t.Errorf("%s: %d, %v", name, len(o.Recipients), err)
		}
	}
}

func TestDecodeAddress(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]told{
		"SenderNumber=30001234&RecipientNumber=09121234567&Content=%D8%B3%D9%84%D8%A7%D9%85+x": {
			lines: []string{"30001234"}, recipients: []string{"09121234567"}, texts: []string{"سلام x"},
		},
		"sendernumber=30001234&recipientNUMBER=%2B98+912+123+4567&content=x&sendTimestamp=%DB%B1795352400": {
			lines: []string{"30001234"}, recipients: []string{"09121234567"}, texts: []string{"x"}, due: later,
		},
	} {
		got, err := decodeAddress(get("/messages/send/url?" + query))
		if diff := cmp.Diff(want, tell(got), cmp.AllowUnexported(told{})); diff != "" || err != nil {
			t.Error(query, err, diff)
		}
	}
	_, err := decodeAddress(get("/messages/send/url?RecipientNumber=x&SendTimestamp=soon"))
	want := []fault.Field{
		{Name: "SenderNumber", Rule: fault.Missing}, {Name: "RecipientNumber", Rule: fault.Form},
		{Name: "Content", Rule: fault.Missing}, {Name: "SendTimestamp", Rule: fault.Type},
	}
	if diff := cmp.Diff(want, fault.From(err).Fields); diff != "" {
		t.Error(diff)
	}
}

// A text arrives as it was sent, through a body and through an address.
func TestTextsArrive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 300, -1).Filter(func(s string) bool {
			return !strings.ContainsRune(s, 0) && strings.TrimSpace(s) != ""
		}).Draw(t, "text")
		body, err := json.Marshal(map[string]string{"senderNumber": "1", "recipientNumber": "09121234567", "content": text})
		if err != nil {
			t.Fatal(err)
		}
		if o, err := decodeSend(post(string(body))); err != nil || o.Texts[0] != text {
			t.Errorf("%q became %q, %v", text, o.Texts, err)
		}
		query := url.Values{"SenderNumber": {"1"}, "RecipientNumber": {"09121234567"}, "Content": {text}}
		if o, err := decodeAddress(get("/messages/send/url?" + query.Encode())); err != nil || o.Texts[0] != text {
			t.Errorf("%q became %q, %v", text, o.Texts, err)
		}
	})
}

func someNames() *sms.Names { return sms.NewNames([32]byte{1}) }

func TestSendAnswersInOrder(t *testing.T) {
	t.Parallel()
	names := someNames()
	reply, err := encodeBatch(names, &sms.Batch{ID: 7, Messages: []sms.Message{{ID: 7}, {ID: 8}}})
	want := `{"batchId":"` + names.Batch(7) + `","messageIds":["` + names.Message(7) + `","` + names.Message(8) + `"]}`
	if err != nil || string(reply.Body) != want {
		t.Errorf("%s, %v; want %s", reply.Body, err, want)
	}
}

func TestBatchInPath(t *testing.T) {
	t.Parallel()
	names := someNames()
	r := dialecttest.Route(t, New(Deps{Names: names}), "DELETE", "/messages/send/scheduled/{batchId...}")
	at := func(value string) *dialect.Request {
		h := httptest.NewRequest(http.MethodDelete, "/messages/send/scheduled/x", nil)
		h.SetPathValue("batchId", value)
		return &dialect.Request{Request: h, At: noon}
	}
	for _, good := range []string{names.Batch(7), names.Batch(7) + "/", strings.ToUpper(names.Batch(7))} {
		reply, answer := dialecttest.Walk(t, r, at(good), &admission.Pass{Account: owner})
		if e := r.Steps.Effect(answer); e.Cancel == nil || *e.Cancel != (sms.Cancel{Account: "acc-1", Batch: 7, At: noon}) {
			t.Errorf("%s: %+v", good, e.Cancel)
		}
		if want := `{"batchId":"` + names.Batch(7) + `"}`; string(reply.Body) != want {
			t.Errorf("%s, want %s", reply.Body, want)
		}
	}
	for _, bad := range []string{"", "/", "7", names.Message(7), names.Batch(7) + "//", "x/" + names.Batch(7), sms.NewNames([32]byte{2}).Batch(7)} {
		if _, err := r.Steps.Open(at(bad), &admission.Pass{Account: owner}); fault.From(err).Code != fault.NotFound {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzDecodeOrders(f *testing.F) {
	for _, seed := range []string{
		`{"senderNumber":"30001234","recipientNumber":"09121234567","content":"سلام","sendTimestamp":1795352400}`,
		`{"senderNumbers":["1"],"recipientNumbers":["09121234567","x"],"contents":["a","b"]}`,
		`{"recipientNumber":"09100000000","templateId":"TydSt1skQE","parameters":[{"name":"code","value":"1"},{"name":7}]}`,
		`{"sendTimestamp":9223372036854775807}`, `{"sendTimestamp":-9223372036854775808}`, `{"parameters":[{"value":null}]}`, `{`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, read := range map[string]func(*dialect.Request) (sms.Order, error){"send": decodeSend, "bulk": decodeBulk, "template": decodeTemplate} {
			o, err := read(post(string(body)))
			judge(t, name, o, err)
		}
	})
}

func FuzzDecodeAddress(f *testing.F) {
	for _, seed := range []string{
		"UserName=testuser&Password=password&Domain=d&SenderNumber=1&RecipientNumber=09121234567&Content=x",
		"ApiKey=x&SendTimestamp=1795352400", "a=%zz", "%00", "Content=%D8", "&&=&=", "Content=a&content=b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := get("/messages/send/url")
		r.URL.RawQuery = query
		o, err := decodeAddress(r)
		judge(t, "address", o, err)
		if shown, err := whoIsInAddress(r); err == nil && shown == nil || err != nil && fault.From(err).Code.Ours() {
			t.Errorf("%+v, %v", shown, err)
		}
	})
}

// judge checks what every reader of orders promises.
func judge(t *testing.T, name string, o sms.Order, err error) {
	t.Helper()
	f := fault.From(err)
	switch {
	case err != nil && f.Code != fault.Malformed && f.Code != fault.Invalid && f.Code != fault.TooMany:
		t.Errorf("%s: not a fault of the caller: %v", name, err)
	case err != nil && (f.Code == fault.Invalid) != (len(f.Fields) > 0):
		t.Errorf("%s: %v with %d fields", name, f, len(f.Fields))
	case err == nil && len(o.Recipients) == 0 || len(o.Recipients) > 100 || len(o.Texts) > 100 || len(o.Lines) > 100:
		t.Errorf("%s: %d recipients", name, len(o.Recipients))
	case err == nil && !o.Due.IsZero() && !o.Due.After(noon):
		t.Errorf("%s: due %v", name, o.Due)
	}
	for _, r := range o.Recipients {
		if err == nil && r.IsZero() {
			t.Errorf("%s: a recipient without a number", name)
		}
	}
}

func TestLaterIsAnHourFromNoon(t *testing.T) {
	t.Parallel()
	if !time.Unix(later, 0).Equal(noon.Add(time.Hour)) {
		t.Errorf("write %d", noon.Add(time.Hour).Unix())
	}
}
