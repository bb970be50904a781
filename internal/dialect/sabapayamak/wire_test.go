package sabapayamak_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/testkit"
)

// world is the example world with another domain, and with lines and accounts
// for what it has none for.
func world(w *fixture.World) {
	w.Domains = append(w.Domains, fixture.Domain{Name: "other.example"})
	for i := range w.Accounts {
		if w.Accounts[i].Username == "testuser" {
			w.Accounts[i].Lines = append(w.Accounts[i].Lines, line("30008765", fixture.Suspended)...)
		}
	}
	w.Accounts = append(w.Accounts, []fixture.Account{
		{Domain: "other.example", Username: "stranger", Services: []string{"*"}, Lines: line("30009999", fixture.Active)},
		{Domain: "sms.smsafzar", Username: "sendonly", Services: []string{"sms/send"}, Lines: line("30007777", fixture.Active)},
		{Domain: "sms.smsafzar", Username: "sender", Services: []string{"sms"}, Lines: line("30005555", fixture.Active), Balance: 900_000_000, QueryLogin: true, SMS: unbounded},
		{Domain: "sms.smsafzar", Username: "poorsender", Services: []string{"sms"}, Lines: line("30004444", fixture.Active), QueryLogin: true},
		{Domain: "sms.smsafzar", Username: "reader", Services: []string{"sms"}, Lines: line("30003333", fixture.Active)},
		{Domain: "sms.smsafzar", Username: "nosms", Services: []string{"person"}, Lines: line("30006666", fixture.Active)},
	}...)
	for i := range w.Accounts {
		if a := &w.Accounts[i]; a.Password == "" {
			a.Password, a.Status, a.TokenDays, a.Rate = "Passw0rd-1234", fixture.Active, 7, 1_000_000
		}
	}
	w.Incoming = append(
		w.Incoming,
		fixture.Incoming{Line: "30005555", Sender: "09121234567", Text: "کجایی؟", Age: time.Hour, Read: true},
		fixture.Incoming{Line: "30003333", Sender: "09121234567", Text: "یک", Age: 2 * time.Hour},
		fixture.Incoming{Line: "30003333", Sender: "09121234567", Text: "دو", Age: time.Hour},
	)
	unwilling, err := persian.ParseMobile("09120000009")
	if err != nil {
		panic(err)
	}
	w.Blocks = append(w.Blocks, fixture.Block{Line: "30005555", Number: unwilling})
}

// unbounded lets the files send to the same numbers again and again.
var unbounded = account.Bounds{NumberHour: -1, PrefixHour: -1}

func line(number, status string) []fixture.Line {
	return []fixture.Line{{Number: number, Status: status}}
}

func TestWire(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world})
	t.Run("page", func(t *testing.T) { dialecttest.Wire(t, s.Address(), "testdata/page") })
	t.Run("ours", func(t *testing.T) { dialecttest.Wire(t, s.Address(), "testdata/ours") })
}

func TestSuite(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world})
	dialecttest.Run(t, s.Dialect(t, "sabapayamak"), s)
}

// TestCamelCaseIsASetting: the names inside data, and nothing else.
func TestCamelCaseIsASetting(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world, Config: config.Config{DataNames: "camel"}})
	got := login(t, s)
	const want = `{"status":"200","message":"با موفقیت انجام شد","id":1,"data":{"id":"1","firstName":"سارا","lastName":"احمدی","username":"testuser","domain":"sms.smsafzar","virtualNumber":"30001234","token":"`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want it to begin with %s", got, want)
	}
}

// TestUnreadIsGivenOnce: the call that gives a message marks it as read, in the
// same commit; the others give it again and again.
func TestUnreadIsGivenOnce(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world})
	answer := call(t, s, http.MethodPost, "/api/v1/user/authenticate", "",
		`{"Username":"reader","Password":"Passw0rd-1234","VirtualNumber":"30003333","TokenValidDay":1}`)
	_, token, _ := strings.Cut(answer, `"Token":"`)
	token, _, _ = strings.Cut(token, `"`)
	const top = "/api/v1/recived-messages"
	for i, step := range []struct{ path, want string }{ // whether each is read, the newest first
		{top, "false false"},
		{top + "/virtaul-number/30001234/unread", ""},
		{top + "/9121234567/unread", "false false"},
		{top + "/unread", ""},
		{top, "true true"},
	} {
		var read []string
		for _, row := range strings.Split(call(t, s, http.MethodGet, step.path, token, ""), `"IsRead":`)[1:] {
			word, _, _ := strings.Cut(row, "}")
			read = append(read, word)
		}
		if got := strings.Join(read, " "); got != step.want {
			t.Errorf("%d, %s: got %q, want %q", i+1, step.path, got, step.want)
		}
	}
}

func login(t *testing.T, s *testkit.Server) string {
	t.Helper()
	return call(t, s, http.MethodPost, "/api/v1/user/authenticate", "",
		`{"Username":"testuser","Password":"T0ken-Passw0rd","VirtualNumber":"30001234","TokenValidDay":15}`)
}

func call(t *testing.T, s *testkit.Server, method, path, token, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.Address()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", token)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
