package smsafzar_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/testkit"
)

// world is the example world with accounts for what it has none for.
func world(w *fixture.World) {
	w.Accounts = append(w.Accounts,
		fixture.Account{
			Domain: "sms.smsafzar", Username: "sendonly", Password: "Passw0rd-1234", Status: fixture.Active,
			TokenDays: 7, Rate: 1_000_000, Services: []string{"sms/send"},
		},
		fixture.Account{
			Domain: "sms.smsafzar", Username: "onecall", Password: "Passw0rd-1234", Status: fixture.Active,
			TokenDays: 7, Rate: 1, Services: []string{"*"},
		},
		fixture.Account{
			Domain: "sms.smsafzar", Username: "messenger", Password: "Passw0rd-1234", Status: fixture.Active,
			TokenDays: 7, Rate: 1_000_000, Services: []string{"*"}, Balance: 1_000_000_000, QueryLogin: true,
			SMS:     account.Bounds{NumberHour: -1, PrefixHour: -1},
			Lines:   []fixture.Line{{Number: "30009999", Status: fixture.Active}, {Number: "30006666", Status: fixture.Active}, {Number: "30008888", Status: fixture.Suspended}},
			APIKeys: []fixture.APIKey{{ID: "messenger", Key: "key-of-the-messenger-7f31"}},
			Templates: []fixture.Template{
				{ID: "TydSt1skQX", Text: "{code}: {price}", Urgent: true},
				{ID: "OwnLineTen", Text: "سلام", Line: "30006666"},
			},
		},
		fixture.Account{
			Domain: "sms.smsafzar", Username: "brokemessenger", Password: "Passw0rd-1234", Status: fixture.Active,
			TokenDays: 7, Rate: 1_000_000, Services: []string{"*"}, Lines: []fixture.Line{{Number: "30007777", Status: fixture.Active}},
		})
	w.Incoming = append(w.Incoming,
		fixture.Incoming{Line: "30009999", Sender: "09121234567", Text: "سلام", Age: time.Hour},
		fixture.Incoming{Line: "30009999", Sender: "09127654321", Text: "لغو", Age: time.Minute})
	w.Blocks = append(w.Blocks, fixture.Block{Line: "30009999", Number: unwilling})
}

var unwilling, _ = persian.ParseMobile("09120000009") // a constant that is one

func TestWire(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world})
	t.Run("page", func(t *testing.T) { dialecttest.Wire(t, s.Address(), "testdata/page") })
	t.Run("ours", func(t *testing.T) { dialecttest.Wire(t, s.Address(), "testdata/ours") })
}

func TestSuite(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world})
	dialecttest.Run(t, s.Dialect(t, "smsafzar"), s)
}

// TestOverTheRate calls until it is refused: how many calls fit into a second
// is the machine's business, that a second has an end is ours.
func TestOverTheRate(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world})
	const want = `{"errorCode":429,"errorMessage":"تعداد درخواست های ارسالی بیش ار حد مجاز می باشد. [ حداکثر تعداد درخواست ها در هر ثانیه 1 عدد می باشد. ]"}`
	for range 100 {
		got := login(t, s, "onecall", "Passw0rd-1234")
		if got.status == http.StatusOK {
			continue
		}
		if got.status != http.StatusTooManyRequests || got.body != want || got.header.Get("Retry-After") != "1" {
			t.Errorf("got %d %s, Retry-After %q; want 429 %s", got.status, got.body, got.header.Get("Retry-After"), want)
		}
		return
	}
	t.Error("a hundred calls in a row, and the account's one call per second was never used up")
}

// TestFaultOfOursHasItsNumberInTheLog: the number that a caller quotes to
// support finds the line.
func TestFaultOfOursHasItsNumberInTheLog(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world})
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	got := login(t, s, "testuser", "T0ken-Passw0rd")
	var told struct {
		Code json.Number `json:"errorCode"`
		Text string      `json:"errorMessage"`
	}
	if err := json.Unmarshal([]byte(got.body), &told); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	want := "سرویس به صورت موقت در دسترس نمی باشد. | شناسه خطا : " + told.Code.String()
	if got.status != http.StatusServiceUnavailable || told.Text != want || len(told.Code) != 10 {
		t.Errorf("got %d %s, want 503 with ten digits and %s", got.status, got.body, want)
	}
	if log := s.Log.String(); !strings.Contains(log, told.Code.String()) {
		t.Errorf("the log does not have %s:\n%s", told.Code, log)
	}
}

// answer is a reply, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func login(t *testing.T, s *testkit.Server, username, password string) answer {
	t.Helper()
	body := fmt.Sprintf(`{"userName":%q,"password":%q,"domain":"sms.smsafzar"}`, username, password)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Address()+"/auth/token", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{reply.StatusCode, reply.Header, string(text)}
}
