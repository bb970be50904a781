package persian_test

import (
	"math"
	"testing"

	"dargah.dev/dargah/internal/persian"
)

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "۰", 999: "۹۹۹", 1000: "۱٬۰۰۰", 45000: "۴۵٬۰۰۰", 1234567: "۱٬۲۳۴٬۵۶۷",
		-999: "-۹۹۹", -1000: "-۱٬۰۰۰", math.MaxInt64: "۹٬۲۲۳٬۳۷۲٬۰۳۶٬۸۵۴٬۷۷۵٬۸۰۷",
	} {
		if got := persian.Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}
