package finding_test

import (
	"encoding/json"
	"testing"
	"time"

	"dargah.dev/dargah/internal/finding"
)

func TestList(t *testing.T) {
	t.Parallel()
	var l finding.List
	l.Good("a", "%d of %d", 1, 2)
	l.Warn("b", "100%", "do")
	l.Bad("c", "says", "")
	for level, want := range map[finding.Level]int{finding.OK: 1, finding.Warning: 1, finding.Problem: 1} {
		if got := l.Count(level); got != want {
			t.Errorf("%d of level %s", got, level)
		}
	}
	text, err := json.Marshal(l)
	want := `[{"level":"ok","about":"a","says":"1 of 2"},{"level":"warning","about":"b","says":"100%","do":"do"},{"level":"problem","about":"c","says":"says"}]`
	if string(text) != want || err != nil {
		t.Errorf("%s %v", text, err)
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]finding.Level{
		0: finding.OK, time.Second: finding.OK, -time.Second: finding.OK,
		1001 * time.Millisecond: finding.Warning, -time.Minute: finding.Warning, time.Minute: finding.Warning,
		time.Minute + 1: finding.Problem, -time.Hour: finding.Problem,
	} {
		var l finding.List
		if l.Clocks("x", ahead); l.Count(want) != 1 {
			t.Errorf("%s: %v", ahead, l)
		}
	}
}
