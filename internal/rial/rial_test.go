package rial_test

import (
	"fmt"
	"testing"

	"dargah.dev/dargah/internal/rial"
)

func TestString(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(rial.Amount(-1234567)); got != "-1234567" {
		t.Errorf("%q", got)
	}
}
