package dialecttest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// canary is the text of every cause: it belongs in the log and nowhere else.
const canary = "canary-4f1d: connection refused by 10.0.0.7"

// documented500 are the dialects whose provider's page answers 500 where
// something of its own fails; elsewhere 503 says better that a retry helps.
var documented500 = []string{"smsafzar", "sabapayamak"}

// fixed are the statuses that clients and proxies act upon, in any dialect.
var fixed = map[fault.Code]int{
	fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.NoRoute:  http.StatusNotFound,
	fault.Method:   http.StatusMethodNotAllowed,
	fault.Rate:     http.StatusTooManyRequests,
	fault.NoToken:  http.StatusUnauthorized,
	fault.BadToken: http.StatusUnauthorized,
}

// table checks that each fault is worded, by the dialect and by each route.
func table(t *testing.T, d *dialect.Dialect) {
	for _, s := range speakers(d) {
		for _, code := range fault.Codes() {
			t.Run(s.name+" "+code.String(), func(t *testing.T) {
				for _, f := range variants(code) {
					reply := s.say(f)
					if err := errors.Join(worded(reply), status(d.Name, code, reply)); err != nil {
						t.Errorf("%+v: %v", *f, err)
					}
				}
			})
		}
		for _, unknown := range []fault.Code{fault.SourceTimeout, fault.SourceUnavailable, fault.Internal, fault.Unavailable} {
			if string(s.say(fault.New(unknown)).Body) == string(s.say(fault.New(fault.NotFound)).Body) {
				t.Errorf("%s: %s reads as if there were no such subject", s.name, unknown)
			}
		}
	}
}

// variants are the shapes in which a fault can come: bare, and with all that a
// table may print of it.
func variants(code fault.Code) []*fault.Error {
	list := []*fault.Error{
		fault.New(code),
		{
			Code: code, Err: errors.New(canary), Limit: 5, RetryAfter: 1500 * time.Millisecond,
			Until: time.Date(2024, 3, 20, 0, 0, 0, 0, time.UTC),
		},
	}
	for rule := fault.Missing; rule <= fault.Repeated; rule++ {
		field := fault.Field{Name: "someField", Rule: rule, Min: 6, Max: 20}
		list = append(list, &fault.Error{Code: code, Fields: []fault.Field{field, field}, Err: errors.New(canary)})
	}
	return list
}

// worded checks a refusal's bytes.
func worded(reply dialect.Reply) error {
	if !utf8.Valid(reply.Body) {
		return fmt.Errorf("the body is not UTF-8: %q", reply.Body)
	}
	if _, err := styleOf(reply.Status, reply.Type, reply.Body); err != nil {
		return err
	}
	shown := string(reply.Body)
	for name, values := range reply.Header {
		shown += "\n" + name + ": " + strings.Join(values, ", ")
	}
	if strings.Contains(shown, "canary") || strings.Contains(shown, "10.0.0.7") {
		return fmt.Errorf("the cause of a fault reaches the caller: %s", shown)
	}
	for _, code := range fault.Codes() {
		name := code.String()
		if strings.Contains(shown, `"`+name+`"`) || strings.Contains(name, "-") && strings.Contains(shown, name) {
			return fmt.Errorf("the house name %q reaches the caller: %s", name, shown)
		}
	}
	return nil
}

// status checks that whose fault it is can be seen.
func status(dialectName string, code fault.Code, reply dialect.Reply) error {
	got := reply.Status
	want, isFixed := fixed[code]
	switch {
	case got == http.StatusOK && strings.HasPrefix(reply.Type, plainText) && !code.Ours():
		return nil // callers of this kind read the body, and some only under 200
	case isFixed && got != want:
		return fmt.Errorf("status %d, want %d", got, want)
	case code.Ours():
		ours := []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}
		if slices.Contains(documented500, dialectName) {
			ours = append(ours, http.StatusInternalServerError)
		}
		if !slices.Contains(ours, got) {
			return fmt.Errorf("status %d for a fault of ours, want one of %v", got, ours)
		}
	case got == http.StatusOK:
		// Some pages answer a call that was understood with 200 and a code in the body.
		if code != fault.NotFound && code != fault.Invalid {
			return errors.New("status 200 for a refusal")
		}
	case got < 400 || got > 499:
		return fmt.Errorf("status %d for a fault of the caller's", got)
	case got == http.StatusUnauthorized && !slices.Contains(identity, code):
		return errors.New("status 401, but another credential would not help")
	}
	return nil
}

// identity are the faults of who is calling. Those that another dialect's
// callers alone can meet may read as one of them.
var identity = []fault.Code{
	fault.NoToken, fault.BadToken, fault.Credentials, fault.Domain, fault.Client,
	fault.ClientGrant, fault.GrantType, fault.Grant, fault.Scope,
}
