package sabapayamak_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/testkit"
)

// world is the example world with another domain, and with lines and accounts
// for what it has none for.
func world(w *fixture.World) {
	w.Domains = append(w.Domains, fixture.Domain{Name: "other.example"})
	for i := range w.Accounts {
		if w.Accounts[i].Username == "testuser" {
			w.Accounts[i].Lines = append(w.Accounts[i].Lines, line("30005678", fixture.Suspended)...)
		}
	}
	for _, a := range []fixture.Account{
		{Domain: "other.example", Username: "stranger", Services: []string{"*"}, Lines: line("30009999", fixture.Active)},
		{Domain: "sms.smsafzar", Username: "sendonly", Services: []string{"sms/send"}, Lines: line("30007777", fixture.Active)},
		{Domain: "sms.smsafzar", Username: "nosms", Services: []string{"person"}, Lines: line("30006666", fixture.Active)},
	} {
		a.Password, a.Status, a.TokenDays, a.Rate = "Passw0rd-1234", fixture.Active, 7, 1_000_000
		w.Accounts = append(w.Accounts, a)
	}
}

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

func login(t *testing.T, s *testkit.Server) string {
	t.Helper()
	const body = `{"Username":"testuser","Password":"T0ken-Passw0rd","VirtualNumber":"30001234","TokenValidDay":15}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Address()+"/api/v1/user/authenticate", strings.NewReader(body))
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
	return string(text)
}
