package closing_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/closing"
)

func TestIDsRiseWithTime(t *testing.T) {
	t.Parallel()
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 1<<47).Draw(t, "milliseconds"))
	})
	rapid.Check(t, func(t *rapid.T) {
		at := moment.Draw(t, "at")
		id, next := closing.NewID(at), closing.FirstID(at.Add(time.Millisecond))
		if first := closing.FirstID(at); id < first || id >= next || len(id) != len(first) {
			t.Errorf("%s is not from %s to %s", id, first, next)
		}
	})
	if a, b := closing.NewID(time.Unix(0, 0)), closing.NewID(time.Unix(0, 0)); a == b {
		t.Errorf("two calls are %s", a)
	}
	if early, first := closing.FirstID(time.Time{}), closing.FirstID(time.Unix(0, 0)); early != first {
		t.Errorf("before 1970: %s", early)
	}
}
