package smsafzar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
)

// TestEveryFaultIsWorded: the table is complete and no text is left unfilled.
func TestEveryFaultIsWorded(t *testing.T) {
	t.Parallel()
	for _, code := range fault.Codes() {
		if _, ok := answers[code]; !ok {
			t.Errorf("%v has no answer", code)
		}
		reply := refuse(&dialect.Request{Trace: 1234567890}, &fault.Error{Code: code, Until: time.Now(), Limit: 5})
		var p struct {
			Code uint64 `json:"errorCode"`
			Text string `json:"errorMessage"`
		}
		if err := json.Unmarshal(reply.Body, &p); err != nil {
			t.Errorf("%v: %v", code, err)
		}
		if reply.Status < 400 || p.Code == 0 || p.Text == "" || strings.ContainsRune(p.Text, '%') {
			t.Errorf("%v: %d %s", code, reply.Status, reply.Body)
		}
		if traced := strings.Contains(p.Text, "1234567890") && p.Code == 1234567890; traced != code.Ours() {
			t.Errorf("%v: trace number told: %v", code, traced)
		}
		if code.Ours() != (reply.Status >= 500) {
			t.Errorf("%v: status %d blames the wrong side", code, reply.Status)
		}
	}
	if len(answers) != len(fault.Codes()) {
		t.Errorf("%d answers for %d faults", len(answers), len(fault.Codes()))
	}
}

// TestPageAnswers holds the answers against the page's samples, byte for byte
// but for the blanks between JSON's parts.
func TestPageAnswers(t *testing.T) {
	t.Parallel()
	request := &dialect.Request{Trace: 1000011011}
	seen := map[string]bool{"200": true} // see TestToken
	for _, test := range []struct {
		sample string
		status int
		fault  *fault.Error
		by     func(*dialect.Request, *fault.Error) dialect.Reply // nil: what most methods say
	}{
		{"1001", http.StatusBadRequest, fault.Bad(shortName, shortPassword), nil},
		{"401", http.StatusUnauthorized, fault.New(fault.Credentials), nil},
		{"401", http.StatusUnauthorized, fault.New(fault.NoToken), nil},
		{"401", http.StatusUnauthorized, fault.New(fault.BadToken), nil},
		{"1004", http.StatusForbidden, fault.New(fault.Service), nil},
		{"1005", http.StatusForbidden, fault.New(fault.Operation), nil},
		{"1006", http.StatusForbidden, fault.New(fault.Address), nil},
		{"1010", http.StatusForbidden, fault.New(fault.Disabled), nil},
		{"1011", http.StatusForbidden, &fault.Error{Code: fault.Expired, Until: persian.Date{Year: 1403, Month: 1, Day: 1}.Time()}, nil},
		{"429", http.StatusTooManyRequests, &fault.Error{Code: fault.Rate, Limit: 5}, nil},
		{"500", http.StatusInternalServerError, fault.New(fault.Internal), nil},
		{"1001-ids", http.StatusBadRequest, fault.From(tooManyValues()), answers.but(ofStatus)},
		{"1106", http.StatusBadRequest, fault.New(fault.NotFound), answers.but(ofBatch)},
		{"1001-count", http.StatusBadRequest, countFault, answers.but(ofReceived)},
	} {
		seen[test.sample] = true
		if test.by == nil {
			test.by = refuse
		}
		reply := test.by(request, test.fault)
		if diff := cmp.Diff(string(sample(t, test.sample)), string(reply.Body)); diff != "" {
			t.Errorf("%s: %s", test.sample, diff)
		}
		if reply.Status != test.status {
			t.Errorf("%s: status %d, want %d", test.sample, reply.Status, test.status)
		}
	}
	files, err := filepath.Glob("testdata/page/answers/*.json")
	if err != nil || len(files) != len(seen) {
		t.Errorf("%d samples, %d compared (%v)", len(files), len(seen), err)
	}
}

// sample is what the page prints, without the blanks between JSON's parts.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	printed, err := os.ReadFile(filepath.Join("testdata", "page", "answers", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, printed); err != nil {
		t.Fatal(err)
	}
	return compact.Bytes()
}

func TestRefuseTellsTheAccountsOwnLimit(t *testing.T) {
	t.Parallel()
	reply := refuse(&dialect.Request{}, &fault.Error{Code: fault.Rate, Limit: 120, RetryAfter: 1200 * time.Millisecond})
	want := `{"errorCode":429,"errorMessage":"تعداد درخواست های ارسالی بیش ار حد مجاز می باشد. [ حداکثر تعداد درخواست ها در هر ثانیه 120 عدد می باشد. ]"}`
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" {
		t.Error(diff)
	}
	if got := reply.Header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q, want 2: a caller who waits one second is early", got)
	}
}

func TestRefuseHeaders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault *fault.Error
		want  http.Header
	}{
		{"no header without need", fault.New(fault.Operation), nil},
		{"401 names the scheme", fault.New(fault.BadToken), http.Header{"Www-Authenticate": {"Bearer"}}},
		{"shedding load", &fault.Error{Code: fault.Busy, RetryAfter: time.Second}, http.Header{"Retry-After": {"1"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, refuse(&dialect.Request{}, test.fault).Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFieldTexts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		field fault.Field
		want  string
	}{
		{noDomain, ".فیلد [ نام دامنه ] می بایست دارای مقدار باشد"},
		{fault.Field{Name: "Password", Rule: fault.Type}, ".فیلد [ کلمه عبور ] می بایست یک رشته باشد"},
		{fault.Field{Name: "UserName", Rule: fault.Form}, ".مقدار فیلد [ نام کاربری ] معتبر نمی باشد"},
		{fault.Field{Name: "somethingElse", Rule: fault.Form}, ".مقدار فیلد [ somethingElse ] معتبر نمی باشد"},
		{fault.Field{Name: "", Rule: fault.Form}, ".مقدار فیلد [  ] معتبر نمی باشد"},
		{fault.Field{Name: "recipientNumber", Rule: fault.Form}, ".مقدار فیلد [ شماره گیرنده ] معتبر نمی باشد"},
		{fault.Field{Name: "RecipientNumber", Rule: fault.Missing}, ".فیلد [ شماره گیرنده ] می بایست دارای مقدار باشد"},
		{fault.Field{Name: "recipientNumbers", Rule: fault.Type}, ".فیلد [ شماره های گیرنده ] می بایست یک آرایه باشد"},
		{fault.Field{Name: "recipientNumbers[7]", Rule: fault.Type}, ".فیلد [ شماره های گیرنده ] می بایست یک رشته باشد"},
		{fault.Field{Name: "contents", Rule: fault.Lengths}, ".تعداد مقادیر فیلد [ متن های پیام ] با سایر فیلدها مطابقت ندارد"},
		{fault.Field{Name: "sendTimestamp", Rule: fault.Type}, ".فیلد [ زمان ارسال ] می بایست یک عدد صحیح باشد"},
		{fault.Field{Name: "sendTimestamp", Rule: fault.Past}, ".فیلد [ زمان ارسال ] می بایست بعد از زمان جاری باشد"},
		{fault.Field{Name: "sendTimestamp", Rule: fault.Range}, ".مقدار فیلد [ زمان ارسال ] معتبر نمی باشد"},
		{fault.Field{Name: "parameters[0].value", Rule: fault.Long, Max: 100}, ".حداکثر طول فیلد [ مقدار پارامتر ] 100 کاراکتر می باشد"},
	} {
		if got := wrong(test.field); got.Text != test.want || got.Field != test.field.Name {
			t.Errorf("got %s: %s\nwant %s", got.Field, got.Text, test.want)
		}
	}
}

func TestTemplateFaultsNameParameters(t *testing.T) {
	t.Parallel()
	reply := refuse(&dialect.Request{}, &fault.Error{Code: fault.Template, Fields: []fault.Field{
		{Name: "code", Rule: fault.Missing}, {Name: "price", Rule: fault.Long, Max: 100},
		{Name: "other", Rule: fault.Form}, {Name: "twice", Rule: fault.Repeated},
	}})
	want := `{"errorCode":1108,"errorMessage":".الگوی ارسال مورد نظر معتبر نمی باشد","validationErrors":[` +
		`{"field":"parameters.code","errorMessage":".پارامتر [ code ] می بایست دارای مقدار باشد"},` +
		`{"field":"parameters.price","errorMessage":".طول مقدار پارامتر [ price ] بیش از حد مجاز می باشد"},` +
		`{"field":"parameters.other","errorMessage":".پارامتر [ other ] در الگوی ارسال تعریف نشده است"},` +
		`{"field":"parameters.twice","errorMessage":".پارامتر [ twice ] بیش از یک بار ارسال شده است"}]}`
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" || reply.Status != http.StatusBadRequest {
		t.Errorf("%d %s", reply.Status, diff)
	}
}

// TestReadmeTellsTheTruth holds the table of README.md against the tables here.
func TestReadmeTellsTheTruth(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Faults\n")
	told := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			continue
		}
		code, _, _ := strings.Cut(strings.TrimSpace(cells[2]), " ")
		for name := range strings.SplitSeq(cells[0], ",") {
			told[strings.TrimSpace(name)] = strings.TrimSpace(cells[1]) + " " + code
		}
	}
	for _, code := range fault.Codes() {
		a := answers[code]
		want := fmt.Sprintf("%d %d", a.status, a.code)
		if a.code == 0 {
			want = fmt.Sprintf("%d trace", a.status)
		}
		if got := told[code.String()]; got != want {
			t.Errorf("%v is told as %q, and is %q", code, got, want)
		}
	}
	for state, d := range deliveries {
		if row := fmt.Sprintf("| %d | %s |", d.code, d.text); !strings.Contains(string(text), row) {
			t.Errorf("state %d: no row %s", state, row)
		}
	}
	if row := fmt.Sprintf("| %d | %s |", noMessage.code, noMessage.text); !strings.Contains(string(text), row) {
		t.Errorf("no row %s", row)
	}
}

// TestCausesStayInside: what a fault was caused by is for the log.
func TestCausesStayInside(t *testing.T) {
	t.Parallel()
	for _, code := range fault.Codes() {
		reply := refuse(&dialect.Request{}, fault.Wrap(code, os.ErrPermission))
		if bytes.Contains(reply.Body, []byte(os.ErrPermission.Error())) {
			t.Errorf("%v tells its cause: %s", code, reply.Body)
		}
	}
}
