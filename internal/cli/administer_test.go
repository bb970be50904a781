package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/credential"
	"dargah.dev/dargah/internal/testkit"
)

// administrator runs commands on one folder.
type administrator struct {
	*testing.T
	dir string
}

// newInstallation is a folder without a world.
func newInstallation(t *testing.T) administrator {
	t.Helper()
	a := administrator{t, filepath.Join(t.TempDir(), "data")}
	a.does("", "init")
	return a
}

// says runs a command with something on its standard input.
func (a administrator) says(stdin string, args ...string) (status int, out, err string) {
	a.Helper()
	cmd := command(a.T, append(args, "--data", a.dir)...)
	var o, e bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &o, &e
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

// does is says for what must succeed.
func (a administrator) does(stdin string, args ...string) string {
	a.Helper()
	status, out, err := a.says(stdin, args...)
	if status != 0 {
		a.Fatalf("%v: status %d\n%s%s", args, status, out, err)
	}
	return out
}

// fails is says for what must not.
func (a administrator) fails(status int, words string, args ...string) {
	a.Helper()
	got, out, err := a.says("", args...)
	if got != status || !strings.Contains(err, words) || strings.Contains(err, "goroutine") {
		a.Errorf("%v: status %d, want %d and %q\n%s%s", args, got, status, words, out, err)
	}
}

// login asks for a token as a client of smsafzar does.
func login(t *testing.T, url, user, password string) (status int, token string) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"userName": user, "password": password, "domain": "sms.smsafzar"})
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/auth/token", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var made struct{ Token string }
	_ = json.NewDecoder(answer.Body).Decode(&made)
	return answer.StatusCode, made.Token
}

func balanceStatus(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/account/balance", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// TestCommandsBesideAServer: what commands change is in force once the server
// has looked, and tokens end when they should.
func TestCommandsBesideAServer(t *testing.T) {
	t.Parallel()
	a := administrator{t, t.TempDir()}
	s := testkit.Start(t, testkit.Options{Dir: a.dir})
	reload := func() {
		t.Helper()
		if err := s.App.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var made struct{ ID, Password string }
	if err := json.Unmarshal([]byte(a.does("", "account", "add", "newcomer", "--rate", "1000", "--json")), &made); err != nil || len(made.Password) < 20 {
		t.Fatalf("%+v %v", made, err)
	}
	reload()
	status, token := login(t, s.URL, "newcomer", made.Password)
	if status != http.StatusOK || balanceStatus(t, s.URL, token) != http.StatusOK {
		t.Fatalf("a new account: %d", status)
	}
	ended := func(what, password string, loginStatus int) string {
		t.Helper()
		reload()
		if got := balanceStatus(t, s.URL, token); got == http.StatusOK {
			t.Errorf("%s: the token still works", what)
		}
		status, fresh := login(t, s.URL, "newcomer", password)
		if (status == http.StatusOK) != (loginStatus == http.StatusOK) {
			t.Errorf("%s: login %d", what, status)
		}
		return fresh
	}
	a.does("", "account", "logout", made.ID)
	token = ended("logout", made.Password, http.StatusOK)
	a.does("another-password\n", "account", "set", "newcomer@sms.smsafzar", "--password-stdin")
	token = ended("new password", "another-password", http.StatusOK)
	a.does("", "account", "disable", "NEWCOMER")
	ended("disabled", "another-password", http.StatusForbidden)
	a.does("", "account", "enable", "newcomer")
	token = ended("enabled", "another-password", http.StatusOK)
	a.does("", "domain", "disable", "sms.smsafzar")
	ended("domain disabled", "another-password", http.StatusForbidden)
	a.does("", "domain", "enable", "SMS.smsafzar")
	token = ended("domain enabled", "another-password", http.StatusOK)
	a.does("", "account", "set", "newcomer", "--services=")
	reload()
	if got := balanceStatus(t, s.URL, token); got == http.StatusOK {
		t.Error("without services the balance is answered")
	}
	a.does("", "audit", "verify")
}

// TestCredentialsAreRotated: two secrets are good for a while, unless the one
// before has leaked.
func TestCredentialsAreRotated(t *testing.T) {
	t.Parallel()
	a := administrator{t, t.TempDir()}
	s := testkit.Start(t, testkit.Options{Dir: a.dir})
	inquire := func(token string) int {
		t.Helper()
		if err := s.App.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		body := `{"requestContext":{"apiInfo":{"businessId":"made","businessToken":"` + token + `"}},"nationalId":"0012345679","birthDate":"1372/11/02"}`
		answer, err := http.Post(s.URL+"/api/inquiry/person", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	token := func(args ...string) string {
		t.Helper()
		var v businessView
		if err := json.Unmarshal([]byte(a.does("", append(args, "--json")...)), &v); err != nil || !credential.Made(v.Token) {
			t.Fatalf("%+v %v", v, err)
		}
		return v.Token
	}
	first := token("business", "add", "testuser", "made")
	second := token("business", "rotate", "made")
	if inquire(first) != http.StatusOK || inquire(second) != http.StatusOK {
		t.Error("after the rotation not both tokens are good")
	}
	third := token("business", "rotate", "made", "--keep", "0s")
	if inquire(second) == http.StatusOK || inquire(first) == http.StatusOK || inquire(third) != http.StatusOK {
		t.Error("after a leak another token than the new one is good")
	}
	a.does("", "business", "set", "made", "--account", "disabled1")
	if inquire(third) == http.StatusOK {
		t.Error("the credential is good for more than the account that it was given to")
	}
	if out := a.does("", "business", "set", "made", "--account", "testuser", "--json"); inquire(third) != http.StatusOK || strings.Contains(out, "token") {
		t.Errorf("given back it is not good, or its token is shown: %s", out)
	}
	a.does("", "business", "disable", "made")
	if inquire(third) == http.StatusOK {
		t.Error("a disabled credential is good")
	}
	a.does("", "business", "enable", "made")
	if inquire(third) != http.StatusOK {
		t.Error("enabled again it is not good")
	}
	a.does("", "business", "remove", "made")
	if inquire(third) == http.StatusOK {
		t.Error("a removed credential is good")
	}
	var v clientView
	if err := json.Unmarshal([]byte(a.does("", "client", "rotate", "test", "--json")), &v); err != nil || v.FormerUntil == nil || !credential.Made(v.Secret) {
		t.Errorf("%+v %v", v, err)
	}
	for _, out := range []string{a.does("", "client", "show", "test"), a.does("", "account", "show", "testuser", "--json"), a.does("", "client", "list", "--json")} {
		if strings.Contains(out, v.Secret) || strings.Contains(out, "argon2") || strings.Contains(strings.ToLower(out), "hash") {
			t.Errorf("a secret is shown again: %s", out)
		}
	}
}

// TestCommandsUnderLoad: commands of several processes and a server's calls
// leave one chain.
func TestCommandsUnderLoad(t *testing.T) {
	t.Parallel()
	a := administrator{t, t.TempDir()}
	s := testkit.Start(t, testkit.Options{Dir: a.dir})
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if status, _ := login(t, s.URL, "testuser", "T0ken-Passw0rd"); status != http.StatusOK {
					t.Errorf("login: %d", status)
					return
				}
			}
		})
	}
	const processes, each = 2, 3
	var commands sync.WaitGroup
	statuses := make([][]int, processes)
	for p := range processes {
		commands.Go(func() {
			for i := range each {
				own, _, err := a.says("", "line", "add", "testuser", "4000"+strconv.Itoa(p)+strconv.Itoa(i), "--by", "p"+strconv.Itoa(p))
				common, _, _ := a.says("", "client", "add", "testuser", "wanted"+strconv.Itoa(i))
				statuses[p] = append(statuses[p], own, common)
				if own != 0 {
					t.Error(err)
				}
			}
		})
	}
	commands.Wait()
	close(done)
	wg.Wait()
	for i := range each {
		won := 0
		for p := range processes {
			if statuses[p][2*i] != 0 {
				t.Errorf("process %d could not add its own line %d", p, i)
			}
			if statuses[p][2*i+1] == 0 {
				won++
			}
		}
		if won != 1 {
			t.Errorf("client %d: %d processes got it", i, won)
		}
	}
	a.does("", "audit", "verify")
	trail := a.does("", "audit", "export", "--account", "testuser")
	if got := strings.Count(trail, `"service":"line"`); got != processes*each || !strings.Contains(trail, `"source":"p1"`) {
		t.Errorf("%d records of lines", got)
	}
}

func TestRefusedCommands(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	a.fails(1, "domain add", "account", "add", "early")
	a.does("", "domain", "add", "sms.example.ir")
	a.does("", "account", "add", "user")
	a.does("", "account", "add", "کاربر۱", "--by", "علی")
	a.fails(1, "taken", "domain", "add", "SMS.example.ir")
	a.fails(1, "taken", "account", "add", "USER@sms.example.ir")
	a.fails(1, "account list", "account", "show", "nobody")
	a.fails(1, "not there", "line", "suspend", "30001")
	a.fails(1, "not there", "client", "show", "shop")
	a.fails(1, "not there", "business", "set", "shop", "--account", "user")
	a.fails(2, "--account", "business", "set", "shop")
	a.fails(1, "cannot be removed", "domain", "remove", "sms.example.ir")
	a.fails(1, "nobody with this national code", "person", "show", "0012345679")
	a.fails(1, "not there", "scenario", "remove", "۱")
	a.fails(2, "domain is not one of", "account", "add", "user@elsewhere")
	a.fails(2, "rate must be from 1", "account", "set", "user", "--rate", "0")
	a.fails(2, "expires must be a date", "account", "set", "user", "--expires", "1404/13/01")
	a.fails(2, "nothing was given", "account", "set", "user")
	a.fails(2, "sms-number-hour must be a whole number", "account", "set", "user", "--sms-number-hour", "many")
	a.fails(2, "quiet must be a part of the day", "line", "set", "30001", "--quiet", "night")
	a.fails(1, "not there", "line", "set", "30001", "--day-limit", "5")
	a.fails(1, "not there", "key", "disable", "shop")
	a.fails(2, "a brace that stands alone", "template", "add", "user", "code {")
	a.fails(1, "not there", "template", "add", "user", "code {code}", "--line", "30001")
	a.fails(2, "number must be a mobile", "block", "add", "30001", "12")
	a.fails(1, "not there", "block", "add", "30001", "09120000001")
	a.fails(1, "not there", "incoming", "add", "30001", "09120000001", "text")
	a.fails(1, "not there", "price", "remove", "sms", "--account", "user")
	a.fails(2, "national-code must be a valid", "person", "show", "0012345678")
	a.fails(2, "birth-date must be a date", "person", "add", "0012345679", "--birth-date", "x", "--first-name", "a", "--last-name", "b", "--gender", "male")
	a.fails(2, "did you mean person", "price", "set", "persn", "5")
	a.fails(2, "exactly one of fault and delivery", "scenario", "add", "sms")
	a.fails(2, "too short", "account", "set", "user", "--password-stdin")
	if status, _, err := a.says("one\ntwo\n", "account", "set", "user", "--password-stdin"); status != 2 || strings.Contains(err, "two") {
		t.Errorf("two lines: %d %s", status, err)
	}
	if status, _, err := a.says("short", "client", "add", "user", "shop", "--secret-stdin"); status != 2 || !strings.Contains(err, "at least 12") {
		t.Errorf("a short secret: %d %s", status, err)
	}
	a.does("", "audit", "verify")
	if out := a.does("", "audit", "export"); strings.Count(out, "\n") != 3 || !strings.Contains(out, `"source":"علی"`) {
		t.Errorf("what was refused is on the trail:\n%s", out)
	}
	lines := strings.Split(a.does("", "account", "list"), "\n")
	if at := strings.Index(lines[0], "status"); len(lines) != 4 || !strings.HasPrefix(lines[1][at:], "active") ||
		strings.Index(string([]rune(lines[2])[at:]), "active") != 0 {
		t.Errorf("the table does not line up:\n%s", strings.Join(lines, "\n"))
	}
}

// TestImport: what is there stays unless it is to be replaced, and repeating
// changes nothing.
func TestImport(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	example := testkit.Example()
	counts := func(args ...string) map[string][3]int {
		t.Helper()
		var all []app.Merged
		if err := json.Unmarshal([]byte(a.does("", append([]string{"import", "--json", example}, args...)...)), &all); err != nil {
			t.Fatal(err)
		}
		m := map[string][3]int{}
		for _, one := range all {
			m[one.Kind] = [3]int{one.Added, one.Kept, one.Updated}
		}
		return m
	}
	first := counts()
	if first["accounts"][0] != 6 || first["accounts"][1] != 0 || first["people"][0] == 0 || first["scenarios"][0] == 0 {
		t.Fatalf("%v", first)
	}
	records := strings.Count(a.does("", "audit", "export"), "\n")
	for kind, n := range counts() {
		if n != [3]int{0, first[kind][0], 0} {
			t.Errorf("again: %s %v", kind, n)
		}
	}
	if got := strings.Count(a.does("", "audit", "export"), "\n"); got != records {
		t.Errorf("an import of nothing left %d records", got-records)
	}
	a.does("", "account", "set", "testuser", "--rate", "77")
	a.does("", "wallet", "topup", "testuser", "5")
	a.does("", "price", "set", "person", "1")
	a.does("", "line", "suspend", "30001234")
	a.does("", "webhook", "set", "shop", "--event", "message.failed", "--with-text")
	if again := counts(); again["accounts"] != [3]int{0, 6, 0} {
		t.Errorf("%v", again)
	}
	replaced := counts("--replace")
	if replaced["accounts"] != [3]int{0, 5, 1} || replaced["prices"][2] != 1 || replaced["lines"] != [3]int{0, 1, 1} || replaced["webhooks"] != [3]int{0, 0, 1} {
		t.Errorf("replaced %v", replaced)
	}
	if hook := a.does("", "webhook", "show", "shop"); !strings.Contains(hook, "message.delivered, message.failed, message.received") || !strings.Contains(hook, "disabled") {
		t.Errorf("replaced: %s", hook)
	}
	shown := a.does("", "account", "show", "testuser")
	for _, want := range []string{"5 a second", "5000005 rials", "30001234 active"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	clash := filepath.Join(t.TempDir(), "clash.yaml")
	text := "domains: [{name: x.example}]\naccounts: [{domain: x.example, username: u, password: long-enough, lines: [{number: \"30001234\"}], clients: [{id: test, secret: abcdefghijkl}]}]\npopulation: 300\n"
	if err := os.WriteFile(clash, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.fails(1, "client id test is taken", "import", clash)
	a.fails(1, "line 30001234 is taken", "import", clash)
	a.fails(1, "no such account", "account", "show", "u@x.example")
	text = strings.NewReplacer("30001234", "30001235", "id: test", "id: test2").Replace(text)
	if err := os.WriteFile(clash, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := a.does("", "import", clash); !slices.ContainsFunc(strings.Split(out, "\n"), func(l string) bool { return strings.HasPrefix(l, "population") && strings.Contains(l, "300") }) {
		t.Errorf("imported:\n%s", out)
	}
	if out := a.does("", "origin", "list"); strings.TrimSpace(out) != "*" {
		t.Errorf("origins:\n%s", out)
	}
	a.does("", "audit", "verify")
	a.does("", "wallet", "check")
}
