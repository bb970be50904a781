package smsafzar

import (
	"bytes"
	"encoding/json"
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
		var p problem
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
	}{
		{"1001", http.StatusBadRequest, fault.Bad(shortName, shortPassword)},
		{"401", http.StatusUnauthorized, fault.New(fault.Credentials)},
		{"401", http.StatusUnauthorized, fault.New(fault.NoToken)},
		{"401", http.StatusUnauthorized, fault.New(fault.BadToken)},
		{"1004", http.StatusForbidden, fault.New(fault.Service)},
		{"1005", http.StatusForbidden, fault.New(fault.Operation)},
		{"1006", http.StatusForbidden, fault.New(fault.Address)},
		{"1010", http.StatusForbidden, fault.New(fault.Disabled)},
		{"1011", http.StatusForbidden, &fault.Error{Code: fault.Expired, Until: persian.Date{Year: 1403, Month: 1, Day: 1}.Time()}},
		{"429", http.StatusTooManyRequests, &fault.Error{Code: fault.Rate, Limit: 5}},
		{"500", http.StatusInternalServerError, fault.New(fault.Internal)},
	} {
		seen[test.sample] = true
		reply := refuse(request, test.fault)
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
		{fault.Field{Name: "count", Rule: fault.Form}, ".مقدار فیلد [ count ] معتبر نمی باشد"},
	} {
		if got := wrong(test.field); got != test.want {
			t.Errorf("got %s\nwant %s", got, test.want)
		}
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
