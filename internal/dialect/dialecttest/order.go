package dialecttest

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
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
			one := &s.steps[i]
			seen = nil
			if err := one.play(t.Context(), k["HOST"], k, false); err != nil {
				t.Logf("%s, exchange %d is not as expected; Wire tells how", file, i+1)
				break
			}
			r := routeOf(d, one)
			if r == nil || one.status != http.StatusOK {
				continue
			}
			answered[r.Method+" "+r.Path] = true
			if !slices.Equal(seen, r.Checks) {
				t.Errorf("%s, exchange %d: asked were %v, the route says %v", file, i+1, seen, r.Checks)
			}
		}
	}
	for _, r := range d.Routes {
		if !answered[r.Method+" "+r.Path] {
			t.Errorf("no file gets an answer from %s %s", r.Method, r.Path)
		}
	}
}

func routeOf(d *dialect.Dialect, s *step) *dialect.Route {
	for i, r := range d.Routes {
		if r.Method == s.method() && r.Path == s.path() {
			return &d.Routes[i]
		}
	}
	return nil
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
