// Package finding owns what a look at an installation reports: how grave it
// is, what was seen, and what to do. Looking is done by whoever owns the thing
// that is looked at.
package finding

import (
	"fmt"
	"time"
)

// Level is how grave a finding is.
type Level int

// A Warning can wait; a Problem loses calls or data, or soon will.
const (
	OK Level = iota
	Warning
	Problem
)

func (l Level) String() string { return [...]string{"ok", "warning", "problem"}[l] }

// MarshalText is String.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one thing that was looked at. It holds no password, key or
// personal data.
type Finding struct {
	Level Level  `json:"level"`
	About string `json:"about"`        // in a word or two
	Says  string `json:"says"`         // what was seen
	Do    string `json:"do,omitempty"` // what to do about it
}

// List is findings in the order in which they were made.
type List []Finding

// Good notes that all is well.
func (l *List) Good(about, format string, args ...any) {
	*l = append(*l, Finding{OK, about, fmt.Sprintf(format, args...), ""})
}

// Warn notes what can wait.
func (l *List) Warn(about, says, do string) { *l = append(*l, Finding{Warning, about, says, do}) }

// Bad notes what cannot.
func (l *List) Bad(about, says, do string) { *l = append(*l, Finding{Problem, about, says, do}) }

// Count is how many findings have this level.
func (l List) Count(of Level) (n int) {
	for _, f := range l {
		if f.Level == of {
			n++
		}
	}
	return n
}

// Clocks judges by how much the clock of another machine is ahead of ours.
func (l *List) Clocks(whose string, ahead time.Duration) {
	const about, advice = "clocks", "run a time service (chrony, systemd-timesyncd) on both machines"
	says := fmt.Sprintf("this machine and %s differ by %s", whose, ahead.Abs().Round(time.Millisecond))
	switch {
	case ahead.Abs() > time.Minute:
		l.Bad(about, says+": tokens end too early or too late", advice)
	case ahead.Abs() > time.Second:
		l.Warn(about, says, advice)
	default:
		l.Good(about, "%s", says)
	}
}
