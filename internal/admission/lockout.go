package admission

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// The wait after too many wrong passwords, doubled by each further one.
const (
	firstWait = 30 * time.Second
	lastWait  = 15 * time.Minute
	forget    = 24 * time.Hour
	watched   = 100_000 // names kept at once
)

// Lockout counts wrong passwords in a row per user name, whether or not such a
// user exists, and refuses further tries for a growing while. A refused try
// looks like a wrong password.
type Lockout struct {
	free  int
	names *otter.Cache[string, lock]
}

type lock struct {
	failures int
	until    time.Time
}

// NewLockout allows free wrong passwords in a row before the first wait; 0
// switches the lockout off, which is for sandboxes, where a test suite shows
// wrong passwords on purpose.
func NewLockout(free int) *Lockout {
	return &Lockout{free: free, names: otter.Must(&otter.Options[string, lock]{
		MaximumSize:      watched,
		ExpiryCalculator: otter.ExpiryWriting[string, lock](forget),
	})}
}

// Open tells whether the name may be tried now.
func (l *Lockout) Open(name string, now time.Time) bool {
	if l.free == 0 {
		return true
	}
	k, known := l.names.GetIfPresent(name)
	return !known || !now.Before(k.until)
}

// Verdict counts how a try went and tells whether the password is accepted. A
// right one is not when the name was locked while it was being checked: of
// guesses made side by side, none beyond the free ones gains anything, and
// right logins side by side never hinder each other.
func (l *Lockout) Verdict(name string, right bool, now time.Time) (accepted bool) {
	if l.free == 0 {
		return right
	}
	l.names.Compute(name, func(k lock, _ bool) (lock, otter.ComputeOp) {
		if now.Before(k.until) {
			return k, otter.CancelOp
		}
		if accepted = right; right {
			return lock{}, otter.WriteOp
		}
		k.failures++
		if over := k.failures - l.free; over >= 0 {
			k.until = now.Add(min(firstWait<<min(over, 10), lastWait))
		}
		return k, otter.WriteOp
	})
	return accepted
}
