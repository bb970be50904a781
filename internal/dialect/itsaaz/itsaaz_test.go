package itsaaz_test

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
	"dargah.dev/dargah/internal/dialect/itsaaz"
	"dargah.dev/dargah/internal/gateway"
	"dargah.dev/dargah/internal/inquiry/credit"
)

const (
	tokenPath = "/identity/token"
	infoPath  = "/ai/etebar/info"
)

var at = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func speak(t testing.TB, answer credit.Answer) *dialect.Dialect {
	t.Helper()
	return itsaaz.New(itsaaz.Deps{
		Grant: dialecttest.Mint(t, at).Grant,
		Credit: func(context.Context, string, credit.Question) (credit.Answer, string, error) {
			return answer, "register", nil
		},
	})
}

func route(t testing.TB, d *dialect.Dialect, path string) *dialect.Route {
	t.Helper()
	return dialecttest.Route(t, d, http.MethodPost, path)
}

// call is a request as the socket's side hands it over.
func call(path, body string, authorization ...string) *dialect.Request {
	r := httptest.NewRequest(http.MethodPost, path, http.NoBody)
	for _, a := range authorization {
		r.Header.Add("Authorization", a)
	}
	return &dialect.Request{Request: r, Data: []byte(body), At: at, ID: "CALL1"}
}

// admitted is the pass of an account that may use what grants say.
func admitted(grants ...string) *admission.Pass {
	return &admission.Pass{
		Account: &account.Account{ID: "acc", Epoch: 3, TokenDays: 7, Grants: account.NewGrants(grants)},
		Client:  &account.Client{ID: "shop"},
	}
}

func TestRoutesAreComplete(t *testing.T) {
	t.Parallel()
	d := speak(t, credit.Answer{})
	if err := gateway.Check(d); err != nil {
		t.Error(err)
	}
	login := route(t, d, tokenPath)
	if login.Service != "" || login.Body != 4<<10 {
		t.Errorf("the token call: service %q, body %d; want unsold and 4 KiB", login.Service, login.Body)
	}
	info := route(t, d, infoPath)
	if info.Priced || info.Service != credit.Service || info.Name() != "info" {
		t.Errorf("the info call: priced %v, service %q, name %q", info.Priced, info.Service, info.Name())
	}
}

// The commands are pasted into a shell, so a shell judges them: every value
// arrives as it is, and the second command uses what the first one found.
func TestExamplesPaste(t *testing.T) {
	t.Parallel()
	w := dialect.World{
		Base: "http://127.0.0.1:8080", Username: "te st", Password: `p'a"s$(s)&=é`, Client: "shop", ClientSecret: "s'1",
		NationalCode: "0012345679", Mobile: "09121234567",
	}
	all := speak(t, credit.Answer{}).Example(w)
	if len(all) != 2 {
		t.Fatalf("%d examples, want a token call and a protected call", len(all))
	}
	token := shell(t, `curl() { printf '{"access_token":"T-1","expires_in":60,"scope":"credit"}'; }; `+all[0].Command)
	if token != "T-1\n" {
		t.Errorf("the first command finds %q in the answer, want the token", token)
	}
	sent := shell(t, `sed() { cat; }; curl() { printf '%s\n' "$@"; }; `+all[0].Command)
	want := strings.Join([]string{
		"-s", w.Base + tokenPath, "--data-urlencode", "grant_type=password", "--data-urlencode", "client_id=shop",
		"--data-urlencode", "Client_secret=s'1", "--data-urlencode", "username=te st",
		"--data-urlencode", "password=" + w.Password, "",
	}, "\n")
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("what curl gets (-want +got):\n%s", diff)
	}
	sent = shell(t, `TOKEN=T-1; curl() { printf '%s\n' "$@"; }; `+all[1].Command)
	want = strings.Join([]string{
		"-s", "-w", `\n`, w.Base + infoPath, "-H", "Authorization: Bearer T-1", "-H", "Content-Type: application/json",
		"-d", `{"NationalCode":"0012345679","Cellphone":"09121234567"}`, "",
	}, "\n")
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("what curl gets (-want +got):\n%s", diff)
	}
}

func shell(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", script).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		t.Fatalf("sh: %v: %s", err, failed.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
