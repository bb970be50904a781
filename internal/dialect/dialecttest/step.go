package dialecttest

import (
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/token"
)

// Mint makes tokens at a fixed time.
func Mint(t testing.TB, now time.Time) *token.Mint {
	t.Helper()
	key := []byte(strings.Repeat("k", 32))
	m, err := token.NewMint([]token.Key{{ID: "1", Secret: key}}, key, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Route finds a route of the dialect.
func Route(t testing.TB, d *dialect.Dialect, method, path string) *dialect.Route {
	t.Helper()
	for i := range d.Routes {
		if r := &d.Routes[i]; r.Method == method && r.Path == path {
			return r
		}
	}
	t.Fatalf("%s has no route %s %s", d.Name, method, path)
	return nil
}

// Walk takes the three steps that follow admission.
func Walk(t testing.TB, r *dialect.Route, req *dialect.Request, pass *admission.Pass) (reply dialect.Reply, answer any) {
	t.Helper()
	question, err := r.Steps.Open(req, pass)
	if err != nil {
		t.Fatal(err)
	}
	if answer, _, err = r.Steps.Ask(t.Context(), pass, question); err != nil {
		t.Fatal(err)
	}
	if reply, err = r.Steps.Encode(req, question, answer); err != nil {
		t.Fatal(err)
	}
	return reply, answer
}
