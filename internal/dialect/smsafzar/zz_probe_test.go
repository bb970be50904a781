package smsafzar_test

import (
	"testing"

	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/testkit"
)

func TestZZProbe(t *testing.T) {
	server := testkit.Start(t, testkit.Options{})
	for _, d := range server.App.Dialects {
		if d.Name == "smsafzar" {
			dialecttest.Run(t, d, server)
		}
	}
	for _, dir := range []string{"testdata/page", "testdata/ours"} {
		dialecttest.Wire(t, server.Address(), dir)
	}
}
