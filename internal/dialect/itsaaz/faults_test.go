package itsaaz_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/credit"
)

// The codes of RFC 6749 section 5.2, and the one of section 4.1.2.1 that is
// used beside them.
var oauthErrors = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
	"temporarily_unavailable",
}

func TestTokenCallWordsEveryFault(t *testing.T) {
	t.Parallel()
	refuse := route(t, speak(t, credit.Answer{}), tokenPath).Refuse
	for _, code := range fault.Codes() {
		reply := refuse(call(tokenPath, ""), fault.New(code))
		var body struct {
			Error string `json:"error"`
			Text  string `json:"error_description"`
		}
		if err := json.Unmarshal(reply.Body, &body); err != nil || !slices.Contains(oauthErrors, body.Error) {
			t.Errorf("%v: %s (%v) is no OAuth error", code, reply.Body, err)
		}
		if body.Text == "" || strings.ContainsFunc(body.Text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
			t.Errorf("%v: the description %q has characters that RFC 6749 forbids", code, body.Text)
		}
		if reply.Header.Get("Cache-Control") != "no-store" || reply.Header.Get("Pragma") != "no-cache" {
			t.Errorf("%v: may be cached", code)
		}
		if challenged := strings.HasPrefix(reply.Header.Get("WWW-Authenticate"), "Basic "); challenged != (reply.Status == http.StatusUnauthorized) {
			t.Errorf("%v: status %d, challenge %v", code, reply.Status, challenged)
		}
		expectStatus(t, code, reply)
	}
}

func TestTokenCallStatuses(t *testing.T) {
	t.Parallel()
	refuse := route(t, speak(t, credit.Answer{}), tokenPath).Refuse
	for code, want := range map[fault.Code]struct {
		status int
		error  string
	}{
		fault.Malformed:   {400, "invalid_request"},
		fault.MediaType:   {400, "invalid_request"},
		fault.Invalid:     {400, "invalid_request"},
		fault.TooLarge:    {413, "invalid_request"},
		fault.Method:      {405, "invalid_request"},
		fault.Client:      {401, "invalid_client"},
		fault.ClientGrant: {400, "unauthorized_client"},
		fault.GrantType:   {400, "unsupported_grant_type"},
		fault.Scope:       {400, "invalid_scope"},
		fault.Credentials: {400, "invalid_grant"},
		fault.Rate:        {429, "temporarily_unavailable"},
		fault.Busy:        {503, "temporarily_unavailable"},
		fault.Internal:    {503, "temporarily_unavailable"},
	} {
		reply := refuse(call(tokenPath, ""), fault.New(code))
		if reply.Status != want.status || !strings.Contains(string(reply.Body), `"error":"`+want.error+`"`) {
			t.Errorf("%v: %d %s, want %d %s", code, reply.Status, reply.Body, want.status, want.error)
		}
	}
}

// Which of its reasons refused a user is nobody's business: same bytes.
func TestOneTextForEveryReason(t *testing.T) {
	t.Parallel()
	refuse := route(t, speak(t, credit.Answer{}), tokenPath).Refuse
	first := refuse(call(tokenPath, ""), fault.New(fault.Credentials))
	for _, code := range []fault.Code{fault.Grant, fault.Disabled, fault.Expired, fault.Address, fault.Domain} {
		f := &fault.Error{Code: code, Until: at, RetryAfter: time.Second}
		reply := refuse(call(tokenPath, ""), f)
		if string(reply.Body) != string(first.Body) || reply.Status != first.Status || len(reply.Header) != len(first.Header) {
			t.Errorf("%v differs from a wrong password: %d %s", code, reply.Status, reply.Body)
		}
	}
}

func TestEnvelopeWordsEveryFault(t *testing.T) {
	t.Parallel()
	refuse := route(t, speak(t, credit.Answer{}), infoPath).Refuse
	texts := map[string]fault.Code{}
	for _, code := range fault.Codes() {
		reply := refuse(call(infoPath, ""), fault.New(code))
		var body struct {
			Data  any
			Meta  string
			Error struct {
				ErrorCode     int
				CustomMessage string
				Exception     string
			}
		}
		if err := json.Unmarshal(reply.Body, &body); err != nil {
			t.Errorf("%v: %s: %v", code, reply.Body, err)
		}
		if body.Data != nil || body.Meta != "CALL1" || body.Error.ErrorCode != reply.Status || body.Error.Exception != "" {
			t.Errorf("%v: status %d, %s", code, reply.Status, reply.Body)
		}
		if other, taken := texts[body.Error.CustomMessage]; taken || body.Error.CustomMessage == "" {
			t.Errorf("%v and %v have the same text %q", code, other, body.Error.CustomMessage)
		}
		texts[body.Error.CustomMessage] = code
		if strings.ContainsFunc(body.Error.CustomMessage, func(r rune) bool { return r == 'ي' || r == 'ك' }) {
			t.Errorf("%v: an Arabic letter in Persian text", code)
		}
		expectStatus(t, code, reply)
	}
}

// expectStatus holds what no table may get wrong: our own fault is 503 with a
// time to try again, and never the caller's.
func expectStatus(t *testing.T, code fault.Code, reply dialect.Reply) {
	t.Helper()
	if (reply.Status == http.StatusServiceUnavailable) != code.Ours() {
		t.Errorf("%v: status %d", code, reply.Status)
	}
	if (reply.Header.Get("Retry-After") != "") != (code.Ours() || code == fault.Rate) {
		t.Errorf("%v: Retry-After %q", code, reply.Header.Get("Retry-After"))
	}
	if (reply.Header.Get("WWW-Authenticate") != "") != (reply.Status == http.StatusUnauthorized) {
		t.Errorf("%v: status %d, WWW-Authenticate %q", code, reply.Status, reply.Header.Get("WWW-Authenticate"))
	}
}

func TestEnvelopeStatuses(t *testing.T) {
	t.Parallel()
	refuse := route(t, speak(t, credit.Answer{}), infoPath).Refuse
	for code, want := range map[fault.Code]int{
		fault.Malformed: 400, fault.Invalid: 400, fault.NoToken: 401, fault.BadToken: 401, fault.Disabled: 403, fault.Expired: 403,
		fault.Address: 403, fault.Service: 403, fault.NotFound: 404, fault.NoRoute: 404, fault.Method: 405, fault.TooLarge: 413,
		fault.MediaType: 415, fault.Rate: 429, fault.SourceTimeout: 503, fault.SourceUnavailable: 503, fault.Unavailable: 503,
	} {
		if reply := refuse(call(infoPath, ""), fault.New(code)); reply.Status != want {
			t.Errorf("%v: %d, want %d", code, reply.Status, want)
		}
	}
}

func TestEnvelopeDetails(t *testing.T) {
	t.Parallel()
	refuse := route(t, speak(t, credit.Answer{}), infoPath).Refuse
	expired := refuse(call(infoPath, ""), &fault.Error{Code: fault.Expired, Until: time.Date(2024, 3, 19, 20, 30, 0, 0, time.UTC)})
	if !strings.Contains(string(expired.Body), "۱۴۰۳/۰۱/۰۱") {
		t.Errorf("%s does not say until when", expired.Body)
	}
	r := call(infoPath, "")
	r.Trace = 1234567890
	if reply := refuse(r, fault.New(fault.Internal)); !strings.Contains(string(reply.Body), `"exception":"1234567890"`) {
		t.Errorf("%s does not hold the trace number", reply.Body)
	}
	for after, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Minute: "60"} {
		reply := refuse(call(infoPath, ""), &fault.Error{Code: fault.Rate, RetryAfter: after})
		if got := reply.Header.Get("Retry-After"); got != want {
			t.Errorf("Retry-After %q after %v, want %q", got, after, want)
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	refuse := route(t, speak(t, credit.Answer{}), infoPath).Refuse
	const bare, invalid = `Bearer realm="itsaaz"`, `Bearer realm="itsaaz", error="invalid_token"`
	for name, c := range map[string]struct {
		headers []string
		code    fault.Code
		want    string
	}{
		"nothing shown":  {nil, fault.NoToken, bare},
		"no token":       {[]string{"Bearer"}, fault.BadToken, bare},
		"another scheme": {[]string{"Basic eA=="}, fault.BadToken, bare},
		"a bad token":    {[]string{"bearer x"}, fault.BadToken, invalid},
		"two":            {[]string{"Bearer x", "Bearer y"}, fault.BadToken, invalid},
	} {
		reply := refuse(call(infoPath, "", c.headers...), fault.New(c.code))
		if got := reply.Header.Get("WWW-Authenticate"); got != c.want || reply.Status != 401 {
			t.Errorf("%s: %d %q, want %q", name, reply.Status, got, c.want)
		}
	}
}

// What no route words is worded by path: a GET of the token path still meets an
// OAuth client.
func TestDialectRefusesByPath(t *testing.T) {
	t.Parallel()
	d := speak(t, credit.Answer{})
	if reply := d.Refuse(call(tokenPath, ""), fault.New(fault.Method)); !strings.Contains(string(reply.Body), `"error":"invalid_request"`) {
		t.Errorf("at the token path: %s", reply.Body)
	}
	for _, path := range []string{infoPath, "/identity/other", "/ai/"} {
		if reply := d.Refuse(call(path, ""), fault.New(fault.NoRoute)); !strings.Contains(string(reply.Body), `"errorCode":404`) {
			t.Errorf("at %s: %s", path, reply.Body)
		}
	}
}
