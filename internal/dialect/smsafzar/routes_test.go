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

func TestWhoCalls(t *testing.T) {
	t.Parallel()
	token := func(text string) admission.Credential { return admission.Bearer{Token: text, Audience: "smsafzar"} }
	for _, test := range []struct {
		name    string
		headers http.Header
		want    admission.Credential // nil: a bad token
	}{
		{"as the page says", http.Header{"Authorization": {"Bearer a.b.c"}}, token("a.b.c")},
		{"any letter case", http.Header{"Authorization": {"bearer a.b.c"}}, token("a.b.c")},
		{"none", http.Header{}, token("")},
		{"two", http.Header{"Authorization": {"Bearer a.b.c", "Bearer a.b.c"}}, nil},
		{"another scheme", http.Header{"Authorization": {"Basic YTpi"}}, nil},
		{"bare", http.Header{"Authorization": {"a.b.c"}}, nil},
		{"a key", http.Header{"X-Api-Key": {" key "}}, admission.Key{Secret: "key"}},
		{"an empty key", http.Header{"X-Api-Key": {""}}, admission.Key{}},
		{"two keys", http.Header{"X-Api-Key": {"key", "key"}}, nil},
		{"a key and a token", http.Header{"X-Api-Key": {"key"}, "Authorization": {"Bearer a.b.c"}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := httptest.NewRequest(http.MethodGet, "/account/balance", nil)
			h.Header = test.headers
			got, err := whoCalls(&dialect.Request{Request: h})
			var f *fault.Error
			if test.want == nil {
				if !errors.As(err, &f) || f.Code != fault.BadToken {
					t.Errorf("got %v, want a bad token", err)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestWhoIsInAddress(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]admission.Credential{
		"UserName=testuser&Password=+pass%2Bword&Domain=sms.example": admission.Password{Domain: "sms.example", Username: "testuser", Password: " pass+word"},
		"username=testuser&PASSWORD=password&domain=sms.example":     admission.Password{Domain: "sms.example", Username: "testuser", Password: "password"},
		"ApiKey=key": admission.Key{Secret: "key"},
		"apikey=key&UserName=testuser&Password=password": admission.Key{Secret: "key"},
	} {
		if got, err := whoIsInAddress(get("/messages/send/url?" + query)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", query, got, err)
		}
	}
	_, err := whoIsInAddress(get("/messages/send/url?UserName=short&Password=1234567"))
	if diff := cmp.Diff([]fault.Field{shortName, shortPassword, noDomain}, fault.From(err).Fields); diff != "" {
		t.Error(diff)
	}
	for _, query := range []string{"%", "%00", "a=%ff", "UserName=testuser&username=testuser&Password=password&Domain=d", "x=1&x=2"} {
		if _, err := whoIsInAddress(get("/messages/send/url?" + query)); fault.From(err).Code != fault.Malformed {
			t.Errorf("%s: %v, want malformed", query, err)
		}
	}
}

// TestAddressIsForThoseWhoChoseIt: even a right secret opens nothing else.
func TestAddressIsForThoseWhoChoseIt(t *testing.T) {
	t.Parallel()
	r := dialecttest.Route(t, New(Deps{}), "GET", "/messages/send/url")
	request := get("/messages/send/url?SenderNumber=30001234&RecipientNumber=09121234567&Content=x")
	for chosen, want := range map[bool]fault.Code{false: fault.Operation, true: 255} {
		_, err := r.Steps.Open(request, &admission.Pass{Account: &account.Account{QueryLogin: chosen}})
		if (err == nil) != chosen || err != nil && fault.From(err).Code != want {
			t.Errorf("chosen %t: %v", chosen, err)
		}
	}
}

func get(target string) *dialect.Request {
	return &dialect.Request{Request: httptest.NewRequest(http.MethodGet, target, nil), At: noon}
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
		Line: "30001234", Mobile: "09121234567", Username: `o'brien"`, Password: "a $(b) `c` \\ 'd' ! گذرواژه",
	}
	examples := New(Deps{}).Example(world)
	curl := `curl() { for a; do printf '%s\n' "$a" >&2; done; printf '{"token":"eyJ.a.b","batchId":"b-1","messageIds":["m-1"]}'; }` + "\n"
	script := curl
	for _, e := range examples {
		script += e.Command + "\n"
	}
	command := exec.Command(shell, "-c", script)
	var told strings.Builder
	command.Stderr = &told
	if out, err := command.Output(); err != nil || !strings.HasPrefix(string(out), "eyJ.a.b\n") || !strings.Contains(string(out), "\nb-1\n") && !strings.Contains(string(out), "}b-1\n") {
		t.Fatalf("the commands show %q, %v; want the token and the batch", out, err)
	}
	want := strings.Join([]string{
		"-s", "http://127.0.0.1:8080/auth/token", "-H", "Content-Type: application/json",
		"-d", `{"userName":"o'brien\"","password":"a $(b) ` + "`c`" + ` \\ 'd' ! گذرواژه","domain":"sms.example"}`,
		"-s", "-w", `\n`, "http://127.0.0.1:8080/account/balance", "-H", "Authorization: Bearer eyJ.a.b",
		"-s", "http://127.0.0.1:8080/messages/send", "-H", "Content-Type: application/json",
		"-d", `{"senderNumber":"30001234","recipientNumber":"09121234567","content":"سلام از درگاه"}`,
		"-H", "Authorization: Bearer eyJ.a.b",
		"-s", "-w", `\n`, "http://127.0.0.1:8080/messages/status/b-1", "-H", "Authorization: Bearer eyJ.a.b", "",
	}, "\n")
	if diff := cmp.Diff(want, told.String()); diff != "" {
		t.Error(diff)
	}
	if _, err := decodeLogin(post(strings.Split(told.String(), "\n")[5])); err != nil {
		t.Errorf("the example's body: %v", err)
	}
	if _, err := decodeSend(post(strings.Split(told.String(), "\n")[17])); err != nil {
		t.Errorf("the example's message: %v", err)
	}
	if world.Line = ""; len(New(Deps{}).Example(world)) != 2 {
		t.Error("who has no line is shown how to send")
	}
}
