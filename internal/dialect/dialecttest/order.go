package dialecttest

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
)

// Observer is a Server that tells of each check as it is asked.
type Observer interface {
	Observe(func(admission.Check))
}

// order plays the dialect's files of exchanges and looks behind them: a call
// that is answered was asked every check of its route, in order and once. Each
// route needs a file that gets an answer from it.
func order(t *testing.T, d *dialect.Dialect, server Server) {
	watched, ok := server.(Observer)
	if !ok {
		t.Skip("the server does not tell which checks are asked")
	}
	var seen []admission.Check
	watched.Observe(func(c admission.Check) { seen = append(seen, c) })
	defer watched.Observe(nil)
	answered := map[string]bool{}
	follow(t, server, func(file string, one, filled *step) bool {
		r := routeOf(d.Routes, filled)
		if isPlain(one) && r != nil && len(seen) < len(r.Checks) {
			r = nil // a refusal
		}
		if r != nil && one.status == http.StatusOK {
			answered[r.Method+" "+r.Path] = true
			if !slices.Equal(seen, r.Checks) {
				t.Errorf("%s, %s: asked were %v, the route says %v", file, one.title, seen, r.Checks)
			}
		}
		seen = nil
		return true
	})
	for _, r := range d.Routes {
		if !answered[r.Method+" "+r.Path] {
			t.Errorf("no file gets an answer from %s %s", r.Method, r.Path)
		}
	}
}

// isPlain tells whether a reply is plain text, which refuses under 200 too.
func isPlain(s *step) bool {
	head, _ := headAndBody(s.reply)
	return slices.ContainsFunc(head, func(line string) bool { return strings.HasPrefix(line, "Content-Type: "+plainText) })
}

// honest is the Authorization header with which a file gets an answer from the
// route; empty if none does.
func honest(t *testing.T, d *dialect.Dialect, server Server, r *dialect.Route) (value string) {
	t.Helper()
	follow(t, server, func(_ string, one, filled *step) bool {
		if one.status == http.StatusOK && routeOf(d.Routes, filled) == r {
			value = filled.header("Authorization")
		}
		return value == ""
	})
	return value
}

// follow plays the dialect's files of exchanges and tells of each exchange as
// it is written and as it was sent, until told to stop. Where an exchange does
// not go as expected the latter is nil, and the file is left: Wire tells how.
func follow(t *testing.T, server Server, each func(file string, one, filled *step) (more bool)) {
	t.Helper()
	for _, file := range exchangeFiles() {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		k := newKept(server.Address())
		for i := range s.steps {
			filled, err := s.steps[i].play(t.Context(), k["HOST"], k, false)
			if err != nil {
				filled = nil
			}
			if !each(file, &s.steps[i], filled) {
				return
			}
			if filled == nil {
				t.Logf("%s, exchange %d is not as expected; Wire tells how", file, i+1)
				break
			}
		}
	}
}

// routeOf is the route that a request is for, found as a server finds it; nil
// for no request and where there is none.
func routeOf(routes []dialect.Route, s *step) *dialect.Route {
	if s == nil {
		return nil
	}
	path := pathOf(routes, s.path())
	for i := range routes {
		if r := &routes[i]; r.Method == s.method() && r.Path == path {
			return r
		}
	}
	return nil
}

// pathOf is the path among those of the routes, which may have wildcards, that
// serves a request's; empty where none does.
func pathOf(routes []dialect.Route, path string) string {
	mux, known := http.NewServeMux(), map[string]bool{}
	for i := range routes {
		if !known[routes[i].Path] {
			mux.Handle(routes[i].Path, http.NotFoundHandler())
		}
		known[routes[i].Path] = true
	}
	at, err := url.Parse(path)
	if err != nil {
		return ""
	}
	_, pattern := mux.Handler(&http.Request{Method: http.MethodGet, URL: at})
	return pattern
}

// exchangeFiles are the files of the dialect whose test is running: go test
// runs in its folder.
func exchangeFiles() []string {
	var list []string
	for _, pattern := range []string{"testdata/*.txt", "testdata/*/*.txt"} {
		files, _ := filepath.Glob(pattern) // a constant pattern
		list = append(list, files...)
	}
	return list
}
