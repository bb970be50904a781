package sabapayamak

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

// TestToken: the token is good for the account, for the line as the account
// has it, and for as many days as were asked for.
func TestToken(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	mint := dialecttest.Mint(t, now)
	r := dialecttest.Route(t, New(Deps{Grant: mint.Grant}), "POST", "/api/v1/user/authenticate")
	pass := &admission.Pass{
		Account: &account.Account{ID: "acc-1", Number: 7, Epoch: 3, TokenDays: 7},
		Line:    account.Line{Number: "30001234"},
	}

	reply, answer := dialecttest.Walk(t, r, post(body(`"+9830001234"`, "15")), pass)
	if !strings.Contains(string(reply.Body), `"VirtualNumber":"30001234"`) {
		t.Errorf("the line is not told as the account has it: %s", reply.Body)
	}
	_, raw, _ := strings.Cut(string(reply.Body), `"Token":"`)
	raw, _, _ = strings.Cut(raw, `"`)
	claims, err := mint.Read(raw, "sabapayamak")
	if err != nil {
		t.Fatalf("%v: %s", err, reply.Body)
	}
	if claims.Account != "acc-1" || claims.Epoch != 3 || claims.Line != "30001234" {
		t.Errorf("claims %+v", claims)
	}
	if life := claims.Expires.Time().Sub(claims.Issued.Time()); life != 15*token.Day || !claims.Issued.Time().Equal(now) {
		t.Errorf("the token lives %v from %v, want 15 days from %v", life, claims.Issued.Time(), now)
	}
	if e := r.Steps.Effect(answer); e.Document != claims.ID || e.Rotation != nil {
		t.Errorf("effect %q, %v; want the token's id %q", e.Document, e.Rotation, claims.ID)
	}
}

func TestCredit(t *testing.T) {
	t.Parallel()
	wallets := func(_ context.Context, id string) (rial.Amount, error) {
		return map[string]rial.Amount{"acc-1": 5_000_000}[id], nil
	}
	r := dialecttest.Route(t, New(Deps{Balance: wallets}), "GET", "/api/v1/credit")
	reply, _ := dialecttest.Walk(t, r, post(""), &admission.Pass{Account: &account.Account{ID: "acc-1"}})
	if want := `"data":5000000,`; !strings.Contains(string(reply.Body), want) {
		t.Errorf("got %s, want %s", reply.Body, want)
	}
}

func TestEveryCallChecksTheLine(t *testing.T) {
	t.Parallel()
	for _, r := range New(Deps{}).Routes {
		if r.Path == "/API/GetCredit.ashx" {
			continue // it names no line
		}
		if err := admission.Complete(r.Checks, admission.Line); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.Path, err)
		}
	}
}

func TestWhoLogsIn(t *testing.T) {
	t.Parallel()
	domains := func(host string) string { return "domain of " + host }
	r := dialecttest.Route(t, New(Deps{Domain: domains}), "POST", "/api/v1/user/authenticate")
	req := post(body(`"30001234"`, "15"))
	req.Host = "api.panel.example:8080"
	got, err := r.Who(req)
	want := admission.Password{
		Domain: "domain of api.panel.example:8080", Username: "user", Password: "secret", Elsewhere: true, Line: "30001234",
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestWhoHoldsToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		headers []string
		want    string
		bad     bool
	}{
		{name: "doubled name", headers: []string{"Authorization: Bearer a.b.c"}, want: "a.b.c"},
		{name: "none", want: ""},
		{name: "two headers", headers: []string{"a.b.c", "a.b.c"}, bad: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := httptest.NewRequest(http.MethodGet, "/api/v1/credit", nil)
			h.Header["Authorization"] = test.headers
			got, err := whoHoldsToken(&dialect.Request{Request: h})
			var f *fault.Error
			if test.bad {
				if !errors.As(err, &f) || f.Code != fault.BadToken {
					t.Errorf("got %v, want a bad token", err)
				}
				return
			}
			if want := (admission.Bearer{Token: test.want, Audience: "sabapayamak"}); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

// TestExampleIsShell runs the commands with a curl that tells what it was
// given, and answers as the token call does.
func TestExampleIsShell(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	world := dialect.World{
		Base: "http://127.0.0.1:8080", Domain: "sms.example", Line: "30001234",
		Username: "o'brien", Password: "a $(b) `c` \\ 'd' ! گذرواژه",
	}
	for _, test := range []struct {
		name  string
		home  string // the domain of the address
		spell string // of the token's name
		host  []string
	}{
		{"the address names the domain", "SMS.example", "Token", nil},
		{"another domain, camelCase", "other.example", "token", []string{"-H", "Host: sms.example"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			deps := Deps{Domain: func(host string) string {
				if host != "127.0.0.1:8080" {
					t.Errorf("asked for the domain of %q", host)
				}
				return test.home
			}}
			examples := New(deps).Example(world)
			curl := `curl() { for a; do printf '%s\n' "$a" >&2; done; printf '{"data":{"Id":"1","` + test.spell + `":"eyJ.a.b"}}'; }` + "\n"
			command := exec.Command(shell, "-c", curl+examples[0].Command+"\n"+examples[1].Command+"\n"+examples[2].Command)
			var told strings.Builder
			command.Stderr = &told
			if out, err := command.Output(); err != nil || !strings.HasPrefix(string(out), "eyJ.a.b\n") {
				t.Fatalf("the first command shows %q, %v; want the token", out, err)
			}
			login := `{"Username":"o'brien","Password":"a $(b) ` + "`c`" + ` \\ 'd' ! گذرواژه","VirtualNumber":"30001234","TokenValidDay":15}`
			want := append([]string{"-s", "http://127.0.0.1:8080/api/v1/user/authenticate"}, test.host...)
			want = append(want, "-H", "Content-Type: application/json", "-d", login,
				"-s", "-w", `\n`, "http://127.0.0.1:8080/api/v1/credit", "-H", "Authorization: Bearer eyJ.a.b",
				"-s", "-w", `\n`, "http://127.0.0.1:8080/api/v1/message", "-H", "Authorization: Bearer eyJ.a.b",
				"-H", "Content-Type: application/json", "-d", `{"Text":"سلام از درگاه","Numbers":["9120000000"]}`, "")
			if diff := cmp.Diff(want, strings.Split(told.String(), "\n")); diff != "" {
				t.Error(diff)
			}
			if _, err := decodeLogin(post(login)); err != nil {
				t.Errorf("the example's body: %v", err)
			}
		})
	}
}
