package uid_test

import (
	"testing"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/dialect/uid"
	"dargah.dev/dargah/internal/testkit"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	server := testkit.Start(t, testkit.Options{})
	dialecttest.Run(t, served(t, server), server)
}

func served(t *testing.T, server *testkit.Server) *dialect.Dialect {
	t.Helper()
	for _, d := range server.App.Dialects {
		if d.Name == uid.Name {
			return d
		}
	}
	t.Fatal("the dialect is not served")
	return nil
}

func TestWire(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"testdata/page", "testdata/ours"} {
		dialecttest.Wire(t, testkit.Start(t, testkit.Options{}).Address(), dir)
	}
}
