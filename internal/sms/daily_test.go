package sms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/sms"
)

// A line's bound goes along for the store to decide, in the account's spelling
// and once, however often the line is named.
func TestDailyBoundsOfLines(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.account.Lines[0].DayLimit = 7
	o := s.single()
	o.Lines, o.Recipients, o.Texts = []string{"+9810001000", "20002000", "10001000"}, o.Recipients[:1], []string{"a"}
	b, err := s.Send(t.Context(), o)
	if diff := cmp.Diff([]sms.Daily{{Line: "10001000", Messages: 7}}, b.Daily); diff != "" || err != nil {
		t.Error(err, diff)
	}
	o.Lines = []string{"20002000"}
	if b, err := s.Send(t.Context(), o); err != nil || b.Daily != nil {
		t.Errorf("a line without a bound: %v, %v", b.Daily, err)
	}
}
