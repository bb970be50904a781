package sms_test

import (
	"strings"
	"testing"

	"dargah.dev/dargah/internal/sms"
)

func TestOptsOut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"لغو": true, "لغو11": true, "لغو ۱۱": true, "لغو١١": true, " «لغو» ": true, "OFF": true, "Off.": true, "stop": true, "STOP ALL": true,
		"لغو عضویت": true, "لـغو": true, "": false, "11": false, "لغو قرار": false, "don't stop": false, "offer": false, "سلام": false,
		strings.Repeat(" ", 60) + "لغو": false,
	} {
		if got := sms.OptsOut(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
