package fault_test

import (
	"os"
	"testing"

	"dargah.dev/dargah/internal/throwaway"
)

// engines runs a test on a new site of each database.
func engines(t *testing.T, test func(*testing.T, *site), customers ...customer) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newSite(t, customers...))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newSharedSite(t, throwaway.Database(t), customers...))
	})
}

// nodes runs a test on SQLite, which has one node, and on PostgreSQL with one
// and with two.
func nodes(t *testing.T, test func(*testing.T, *site, []*node), customers ...customer) {
	t.Helper()
	engines(t, func(t *testing.T, s *site) {
		test(t, s, []*node{s.start(t)})
	}, customers...)
	t.Run("two nodes", func(t *testing.T) {
		t.Parallel()
		s := newSharedSite(t, throwaway.Database(t), customers...)
		test(t, s, []*node{s.start(t), s.start(t)})
	})
}

// newSharedSite makes an installation on PostgreSQL.
func newSharedSite(t testing.TB, database string, customers ...customer) *site {
	t.Helper()
	s := &site{binary: binary(t), dir: t.TempDir(), database: database}
	s.fill(t, customers)
	return s
}

// control marks a red control: the same test on a build without the guarantee.
// Building and running each takes as long as the test does, so most of them
// run at night only.
func control(t *testing.T) {
	t.Helper()
	if !nightly {
		t.Skip("red controls run with NIGHTLY=1")
	}
}

// lack is where a test cannot be run for want of something of the machine's:
// it is left out, unless everything is said to be there.
func lack(t testing.TB, what error) {
	t.Helper()
	if os.Getenv("REQUIRE_SERVERS") != "" {
		t.Fatalf("REQUIRE_SERVERS is set, and there is no way: %v", what)
	}
	t.Skip(what)
}
