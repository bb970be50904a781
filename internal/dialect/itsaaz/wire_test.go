package itsaaz_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/testkit"
)

// world is the example world with a client for each account that a token call
// can fail for, an old report, and the faults of a source.
func world(t *testing.T) func(*fixture.World) {
	t.Helper()
	oldReport, err := persian.ParseNationalCode("0499370899")
	if err != nil {
		t.Fatal(err)
	}
	return func(w *fixture.World) {
		owners := map[string]string{"testuser": "nogrant", "disabled1": "disabled", "expired1": "expired", "elsewhere": "elsewhere", "noservice": "noservice"}
		for i := range w.Accounts {
			if id, more := owners[w.Accounts[i].Username]; more {
				w.Accounts[i].Clients = append(w.Accounts[i].Clients, fixture.Client{ID: id, Secret: "made-up-secret-of-" + id, PasswordGrant: id != "nogrant"})
			}
		}
		w.Accounts = append(w.Accounts, fixture.Account{
			Domain: "sms.smsafzar", Username: "onecall", Password: "Passw0rd-1234", Status: fixture.Active, TokenDays: 7, Rate: 1,
			Services: []string{credit.Service}, Clients: []fixture.Client{{ID: "onecall", Secret: "made-up-secret-of-onecall", PasswordGrant: true}},
		})
		w.Credit = append(w.Credit, fixture.CreditFile{NationalCode: oldReport, Reports: []fixture.Report{
			{Source: 2, Score: 600, Grade: "C1", Age: 25 * time.Hour},
		}})
		for code, what := range map[string]string{
			"1000000001": fixture.NotFound, "1000000060": fixture.UpstreamTimeout,
			"1000000011": fixture.UpstreamUnavailable, "1000000028": fixture.InternalFault,
		} {
			w.Scenarios = append(w.Scenarios, fixture.Scenario{
				Service: credit.Service, When: map[string]string{"nationalCode": code}, Then: fixture.Then{Fault: what},
			})
		}
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world(t)})
	t.Run("page", func(t *testing.T) { dialecttest.Wire(t, s.Address(), "testdata/page") })
	t.Run("ours", func(t *testing.T) { dialecttest.Wire(t, s.Address(), "testdata/ours") })
}

func TestSuite(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world(t)})
	dialecttest.Run(t, s.Dialect(t, "itsaaz"), s)
}

// The page's samples of both answers. Its envelope is filled on both sides, ours
// never is, so the sides are compared one by one.
func TestShapesOfThePage(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world(t)})
	dialecttest.SameShape(t, sample(t, "token"), []byte(asTestuser(t, s).body))
	token := testuser(t, s)
	var page, good, bad map[string]json.RawMessage
	answer, refused := info(t, s, token, "0012345679").body, info(t, s, token, "1").body
	for text, into := range map[string]*map[string]json.RawMessage{string(sample(t, "info")): &page, answer: &good, refused: &bad} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	dialecttest.SameShape(t, page["data"], good["data"])
	dialecttest.SameShape(t, page["meta"], good["meta"])
	dialecttest.SameShape(t, page["error"], bad["error"])
	if string(good["error"]) != "null" || string(bad["data"]) != "null" {
		t.Errorf("both sides of the envelope are filled: %s, %s", answer, refused)
	}
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/page/answers/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The link that is answered opens on this server, and the wallet is untouched.
func TestPayLinkWorks(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world(t)})
	owner := s.App.Desk.Book.Now().ByName("sms.smsafzar", "testuser")
	before := s.Balance(t, owner.ID)
	body := info(t, s, testuser(t, s), "1234567891").body
	var answer struct{ Data struct{ PayURL string } }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, answer.Data.PayURL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	page := send(t, request)
	if page.status != http.StatusOK || !strings.Contains(page.body, "۴۵٬۰۰۰ ریال") || strings.Contains(page.body, "1234567891") {
		t.Errorf("%d %s", page.status, page.body)
	}
	if left := s.Balance(t, owner.ID); left != before {
		t.Errorf("the info call took %d rials", before-left)
	}
}

// TestOverTheRate calls until it is refused, on both routes: how many calls fit
// into a second is the machine's business, that a second has an end is ours.
func TestOverTheRate(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world(t)})
	over := func(call func() got, want string) {
		for range 100 {
			reply := call()
			if reply.status == http.StatusOK {
				continue
			}
			if reply.status != http.StatusTooManyRequests || !strings.Contains(reply.body, want) || reply.header.Get("Retry-After") != "1" {
				t.Errorf("%d %s, Retry-After %q", reply.status, reply.body, reply.header.Get("Retry-After"))
			}
			return
		}
		t.Error("a hundred calls in a row, and the account's one call per second was never used up")
	}
	login := func() got {
		return login(t, s, "onecall", "made-up-secret-of-onecall", "onecall", "Passw0rd-1234")
	}
	token := access(t, login())
	over(login, `"error":"temporarily_unavailable"`)
	over(func() got { return info(t, s, token, "0012345679") }, `"errorCode":429`)
}

// A part of ours that is down is 503 with a time to try again, and the number
// that a caller quotes to support finds the line in the log.
func TestFaultOfOurs(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: world(t)})
	token := testuser(t, s)
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	reply := asTestuser(t, s)
	if reply.status != http.StatusServiceUnavailable || !strings.Contains(reply.body, "temporarily_unavailable") || reply.header.Get("Retry-After") == "" {
		t.Errorf("the token call: %d %s", reply.status, reply.body)
	}
	reply = info(t, s, token, "0012345679")
	var told struct{ Error struct{ Exception string } }
	if err := json.Unmarshal([]byte(reply.body), &told); err != nil || reply.status != http.StatusServiceUnavailable || len(told.Error.Exception) != 10 {
		t.Fatalf("the info call: %d %s (%v)", reply.status, reply.body, err)
	}
	if log := s.Log.String(); !strings.Contains(log, told.Error.Exception) {
		t.Errorf("the log does not have %s:\n%s", told.Error.Exception, log)
	}
}

// got is a reply, read to its end.
type got struct {
	status int
	header http.Header
	body   string
}

func asTestuser(t *testing.T, s *testkit.Server) got {
	t.Helper()
	return login(t, s, "test", "sandbox-secret-5f0c2b7e9a1d4c38", "testuser", "T0ken-Passw0rd")
}

func testuser(t *testing.T, s *testkit.Server) string {
	t.Helper()
	return access(t, asTestuser(t, s))
}

func access(t *testing.T, reply got) string {
	t.Helper()
	var issued struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(reply.body), &issued); err != nil || issued.Token == "" {
		t.Fatalf("no token (%v): %s", err, reply.body)
	}
	return issued.Token
}

func login(t *testing.T, s *testkit.Server, client, secret, username, password string) got {
	t.Helper()
	form := url.Values{
		"grant_type": {"password"}, "client_id": {client}, "Client_secret": {secret}, "username": {username}, "password": {password},
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Address()+tokenPath, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, request)
}

func info(t *testing.T, s *testkit.Server, token, code string) got {
	t.Helper()
	question := fmt.Sprintf(`{"NationalCode":%q,"Cellphone":"09121234567"}`, code)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Address()+infoPath, strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	return send(t, request)
}

func send(t *testing.T, request *http.Request) got {
	t.Helper()
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{reply.StatusCode, reply.Header, string(text)}
}
