package rial_test

import (
	"math"
	"testing"

	"dargah.dev/dargah/internal/rial"
)

func TestGrouped(t *testing.T) {
	t.Parallel()
	for amount, want := range map[rial.Amount]string{
		0: "0", 999: "999", 1000: "1,000", 45000: "45,000", 1234567: "1,234,567",
		-999: "-999", -1000: "-1,000", math.MaxInt64: "9,223,372,036,854,775,807",
	} {
		if got := amount.Grouped(); got != want {
			t.Errorf("Grouped(%d) = %q, want %q", amount, got, want)
		}
	}
}
