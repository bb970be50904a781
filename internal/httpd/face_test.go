package httpd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/testkit"
)

// call makes one request and gives its status, headers and body.
func call(t *testing.T, method, url string, head map[string]string, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range head {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(r) // a redirect must show
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

const login = `{"userName":"testuser","password":"T0ken-Passw0rd","domain":"sms.smsafzar"}`

var asJSON = map[string]string{"Content-Type": "application/json"}

// raw sends bytes as they are and gives the status line and the body.
func raw(t *testing.T, s *testkit.Server, request string) (string, string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.Status, string(text)
}

func TestPathsThatAreNotServed(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for path, want := range map[string]string{ // the style of the answer
		"/auth/tokens": `"errorCode":404`, "/auth/token/": `"errorCode":404`, "/auth//token": `"errorCode":404`,
		"//auth/token": `"errorCode":404`, "/auth/./token": `"errorCode":404`, "/x/../auth/token": `"errorCode":404`,
		"/AUTH/token": `"title"`, "/auth/token;x": `"errorCode":404`, "/auth/%2e/token": `"errorCode":404`,
		"/api/v1/nothing": `"status":"404"`, "/api/v1//api/v1/credit": `"status":"404"`,
		"/identity/x": `"customMessage"`, "/ai/x": `"customMessage"`,
		"/api/inquiry/x": `"responseContext"`, "/api/validate/x": `"responseContext"`,
		"/nothing": `"title"`, "/api": `"title"`, "/": `"title"`, "http://elsewhere.example.ir": `"title"`,
		"/messages/send/scheduled": `"errorCode":404`, "/auth": `"errorCode":404`, "/account?a=b": `"errorCode":404`, "/api/v1": `"status":"404"`,
		"/identity": `"customMessage"`, "/api/inquiry": `"responseContext"`, "http://elsewhere.example.ir/auth": `"errorCode":404`,
	} {
		status, text := raw(t, s, "POST "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "+fmt.Sprint(len(login))+"\r\n\r\n"+login)
		if !strings.HasPrefix(status, "404") || !strings.Contains(text, want) {
			t.Errorf("%s: %s %s, want 404 and %s", path, status, text, want)
		}
	}
}

func TestMethodsThatAPathDoesNotHave(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, c := range []struct{ path, allow string }{
		{"/auth/token", "POST"}, {"/account/balance", "GET"}, {"/identity/token", "POST"},
		{"/ai/etebar/info", "POST"}, {"/api/v1/user/authenticate", "POST"}, {"/api/v1/credit", "GET"}, {"/api/inquiry/person", "POST"},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if method == c.allow {
				continue
			}
			status, head, _ := call(t, method, s.URL+c.path, nil, "")
			if status != http.StatusMethodNotAllowed || head.Get("Allow") != c.allow {
				t.Errorf("%s %s: %d, allow %q", method, c.path, status, head.Get("Allow"))
			}
		}
	}
}

func TestHeadOfARequestIsBounded(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	fields := func(n int) string { return strings.Repeat("X-A: b\r\n", n-1) + "Connection: close\r\n" }
	target := func(n int) string { return "/livez?" + strings.Repeat("a", n-len("/livez?")) }
	for name, c := range map[string]struct {
		target, fields, want string
	}{
		"longest target":  {target(4 << 10), fields(1), "200"},
		"target too long": {target(4<<10 + 1), fields(1), "414"},
		"no page so long": {"/x" + target(4<<10), fields(1), "414"},
		"most fields":     {target(10), fields(64), "200"},
		"too many fields": {target(10), fields(65), "431"},
	} {
		if status, text := raw(t, s, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n"+c.fields+"\r\n"); !strings.HasPrefix(status, c.want) {
			t.Errorf("%s: %s %s, want %s", name, status, text, c.want)
		}
	}
}

// An address that is too long for a dialect's route is refused as the dialect
// refuses what is too large, before anything in it counts.
func TestLongAddressIsTheDialectsToRefuse(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for n, long := range map[int]bool{4 << 10: false, 4<<10 + 1: true} {
		target := "/messages/send/url?Content=" + strings.Repeat("a", n-len("/messages/send/url?Content="))
		status, text := raw(t, s, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if strings.HasPrefix(status, "413") != long || strings.Contains(text, `"errorCode":413`) != long {
			t.Errorf("%d octets: %s %s", n, status, text)
		}
	}
}

// Of two types or encodings one would be believed and the other one perhaps by
// somebody else.
func TestHeadersThatSayTwoThings(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, second := range []string{
		"Content-Type: application/json", "Content-Type: text/html",
		"Content-Encoding: identity\r\nContent-Encoding: gzip",
	} {
		status, text := raw(t, s, "POST /auth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"+second+
			"\r\nContent-Length: "+fmt.Sprint(len(login))+"\r\n\r\n"+login)
		if !strings.HasPrefix(status, "415") || !strings.Contains(text, `"errorCode":415`) {
			t.Errorf("%q: %s %s", second, status, text)
		}
	}
}

func TestHealthIsForLooking(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, path := range []string{"/livez", "/readyz"} {
		if status, _, _ := call(t, "HEAD", s.URL+path, nil, ""); status != 200 {
			t.Errorf("HEAD %s: %d", path, status)
		}
		for _, method := range []string{"POST", "DELETE", "TRACE"} {
			if status, head, _ := call(t, method, s.URL+path, nil, ""); status != 405 || head.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, allow %q", method, path, status, head.Get("Allow"))
			}
		}
	}
}

func TestBareNameOfThePagesIsNoRedirect(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	if status, _, text := call(t, "GET", s.URL+"/pay", nil, ""); status != 404 || !strings.Contains(text, "<html") {
		t.Errorf("%d %s", status, text)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, path := range []string{"/livez", "/readyz"} {
		if status, _, text := call(t, "GET", s.URL+path, nil, ""); status != 200 || text != "ok\n" {
			t.Errorf("%s: %d %q", path, status, text)
		}
	}
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := call(t, "GET", s.URL+"/livez", nil, ""); status != 200 {
		t.Errorf("livez without a store: %d", status)
	}
	if status, _, text := call(t, "GET", s.URL+"/readyz", nil, ""); status != 503 || strings.Contains(text, "store") {
		t.Errorf("readyz without a store: %d %q", status, text)
	}
	if status, head, text := call(t, "POST", s.URL+"/auth/token", asJSON, login); status != 503 || head.Get("Retry-After") == "" {
		t.Errorf("a token call without a store: %d %q", status, text)
	}
}

func TestPagesOfOtherOriginsMayCall(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	const origin = "https://shop.example.ir"
	status, head, text := call(t, "OPTIONS", s.URL+"/auth/token", map[string]string{
		"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "accept,cache-control,content-type",
	}, "")
	if status != http.StatusNoContent || text != "" {
		t.Errorf("preflight: %d %q", status, text)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "accept,cache-control,content-type",
	} {
		if head.Get(name) != want {
			t.Errorf("preflight: %s is %q, want %q", name, head.Get(name), want)
		}
	}
	for name, body := range map[string]string{"answer": login, "refusal": `{}`} {
		_, head, _ := call(t, "POST", s.URL+"/auth/token", map[string]string{"Origin": origin, "Content-Type": "application/json"}, body)
		if head.Get("Access-Control-Allow-Origin") != origin || head.Get("Access-Control-Allow-Credentials") != "true" || !slices.Contains(head.Values("Vary"), "Origin") {
			t.Errorf("%s: %v", name, head)
		}
	}
}

func TestOnlyConfiguredOriginsMayCall(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: func(w *fixture.World) { w.Origins = []string{"https://shop.example.ir"} }})
	for origin, want := range map[string]string{
		"https://shop.example.ir": "https://shop.example.ir", "https://evil.example.ir": "", "http://shop.example.ir": "",
		"https://shop.example.ir.evil.ir": "", "null": "", "": "",
	} {
		_, head, _ := call(t, "POST", s.URL+"/auth/token", map[string]string{"Origin": origin, "Content-Type": "application/json"}, login)
		if got := head.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("origin %q: allowed %q", origin, got)
		}
	}
	status, head, _ := call(t, "OPTIONS", s.URL+"/auth/token", map[string]string{"Origin": "https://evil.example.ir", "Access-Control-Request-Method": "POST"}, "")
	if status != http.StatusMethodNotAllowed || head.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign preflight: %d %v", status, head)
	}
}

// The list of addresses counts on every call, and only a configured proxy can
// say where a call comes from.
func TestAddressesAreCheckedOnEveryCall(t *testing.T) {
	t.Parallel()
	listed := func(w *fixture.World) { w.Accounts[0].Allowed = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }
	from := func(address string) map[string]string {
		return map[string]string{"Content-Type": "application/json", "X-Forwarded-For": address}
	}
	open := testkit.Start(t, testkit.Options{World: listed})
	if status, _, text := call(t, "POST", open.URL+"/auth/token", from("192.0.2.9"), login); status != 403 || !strings.Contains(text, "1006") {
		t.Errorf("a header without a configured proxy: %d %s", status, text)
	}
	s := testkit.Start(t, testkit.Options{World: listed, Config: config.Config{Proxies: []string{"127.0.0.0/8"}}})
	status, _, text := call(t, "POST", s.URL+"/auth/token", from("192.0.2.9"), login)
	if status != 200 {
		t.Fatalf("from a listed address: %d %s", status, text)
	}
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]int{"192.0.2.77": 200, "198.51.100.1": 403, "192.0.2.9, 198.51.100.1": 403, "nonsense": 403} {
		head := from(address)
		head["Authorization"] = "Bearer " + made.Token
		if status, _, text := call(t, "GET", s.URL+"/account/balance", head, ""); status != want || (want == 403 && !strings.Contains(text, "1006")) {
			t.Errorf("from %s: %d %s", address, status, text)
		}
	}
}

func TestNoAnswerMayBeKept(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, head, _ := call(t, "POST", s.URL+"/auth/token", asJSON, login)
	if head.Get("Cache-Control") != "no-store" || head.Get("X-Content-Type-Options") != "nosniff" || len(head.Get("X-Request-Id")) != 26 {
		t.Errorf("%v", head)
	}
}
