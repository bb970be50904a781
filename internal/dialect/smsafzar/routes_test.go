package smsafzar

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

func TestToken(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	m := dialecttest.Mint(t, now)
	r := dialecttest.Route(t, New(Deps{Grant: m.Grant}), "POST", "/auth/token")
	pass := &admission.Pass{Account: &account.Account{ID: "acc-1", Epoch: 3, TokenDays: 30}}

	reply, answer := dialecttest.Walk(t, r, post(""), pass)
	raw := strings.TrimSuffix(strings.TrimPrefix(string(reply.Body), `{"token":"`), `"}`)
	claims, err := m.Read(raw, "smsafzar")
	if err != nil {
		t.Fatalf("%v: %s", err, reply.Body)
	}
	if claims.Account != "acc-1" || claims.Epoch != 3 || claims.Line != "" {
		t.Errorf("claims %+v", claims)
	}
	if life := claims.Expires.Time().Sub(now); life != 30*token.Day {
		t.Errorf("the token lives %v, want the account's 30 days", life)
	}
	dialecttest.SameShape(t, sample(t, "200"), reply.Body)
	if e := r.Steps.Effect(answer); e.Document != claims.ID || e.Rotation != nil {
		t.Errorf("effect %q, %v; want the token's id %q", e.Document, e.Rotation, claims.ID)
	}
}

func TestTokenKeepsFaults(t *testing.T) {
	t.Parallel()
	broken := func(context.Context, token.Request) (token.Issued, error) {
		return token.Issued{}, fault.New(fault.Unavailable)
	}
	r := dialecttest.Route(t, New(Deps{Grant: broken}), "POST", "/auth/token")
	_, _, err := r.Steps.Ask(t.Context(), &admission.Pass{}, token.Request{})
	if fault.From(err).Code != fault.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestBalance(t *testing.T) {
	t.Parallel()
	wallets := func(_ context.Context, id string) (rial.Amount, error) {
		return map[string]rial.Amount{"acc-1": 5_000_000}[id], nil
	}
	r := dialecttest.Route(t, New(Deps{Balance: wallets}), "GET", "/account/balance")
	reply, _ := dialecttest.Walk(t, r, post(""), &admission.Pass{Account: &account.Account{ID: "acc-1"}})
	if want := `{"balance":5000000,"unit":"ریال"}`; string(reply.Body) != want || reply.Status != http.StatusOK {
		t.Errorf("got %d %s, want %s", reply.Status, reply.Body, want)
	}
}

func TestWhoLogsIn(t *testing.T) {
	t.Parallel()
	got, err := whoLogsIn(post(`{"userName":"testuser","password":"Passw0rd","domain":"sms.example"}`))
	want := admission.Password{Domain: "sms.example", Username: "testuser", Password: "Passw0rd"}
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
		{name: "as the page says", headers: []string{"Bearer a.b.c"}, want: "a.b.c"},
		{name: "any letter case", headers: []string{"bearer a.b.c"}, want: "a.b.c"},
		{name: "none", want: ""},
		{name: "two", headers: []string{"Bearer a.b.c", "Bearer a.b.c"}, bad: true},
		{name: "another scheme", headers: []string{"Basic YTpi"}, bad: true},
		{name: "bare", headers: []string{"a.b.c"}, bad: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := httptest.NewRequest(http.MethodGet, "/account/balance", nil)
			h.Header["Authorization"] = test.headers
			got, err := whoHoldsToken(&dialect.Request{Request: h})
			var f *fault.Error
			if test.bad {
				if !errors.As(err, &f) || f.Code != fault.BadToken {
					t.Errorf("got %v, want a bad token", err)
				}
				return
			}
			if want := (admission.Bearer{Token: test.want, Audience: "smsafzar"}); err != nil || got != want {
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
		Base: "http://127.0.0.1:8080", Domain: "sms.example",
		Username: `o'brien"`, Password: "a $(b) `c` \\ 'd' ! گذرواژه",
	}
	examples := New(Deps{}).Example(world)
	curl := `curl() { for a; do printf '%s\n' "$a" >&2; done; printf '{"token":"eyJ.a.b"}'; }` + "\n"
	command := exec.Command(shell, "-c", curl+examples[0].Command+"\n"+examples[1].Command)
	var told strings.Builder
	command.Stderr = &told
	if out, err := command.Output(); err != nil || !strings.HasPrefix(string(out), "eyJ.a.b\n") {
		t.Fatalf("the first command shows %q, %v; want the token", out, err)
	}
	want := strings.Join([]string{
		"-s", "http://127.0.0.1:8080/auth/token", "-H", "Content-Type: application/json",
		"-d", `{"userName":"o'brien\"","password":"a $(b) ` + "`c`" + ` \\ 'd' ! گذرواژه","domain":"sms.example"}`,
		"-s", "-w", `\n`, "http://127.0.0.1:8080/account/balance", "-H", "Authorization: Bearer eyJ.a.b", "",
	}, "\n")
	if diff := cmp.Diff(want, told.String()); diff != "" {
		t.Error(diff)
	}
	if _, err := decodeLogin(post(strings.Split(told.String(), "\n")[5])); err != nil {
		t.Errorf("the example's body: %v", err)
	}
}
