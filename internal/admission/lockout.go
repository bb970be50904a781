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
	free   int
	names  *otter.Cache[string, lock]
	shared Failures // nil: this process counts for itself alone
}

// Failures counts wrong passwords for several processes together, by the same
// rule. It may be away, which is known as false; then each counts for itself.
type Failures interface {
	// Locked tells whether the name must wait.
	Locked(name string) (locked, known bool)
	// Verdict is Lockout's, with the times that it goes by.
	Verdict(name string, right bool, rule Waits) (accepted, known bool)
}

// Waits is the rule of the waits: the first follows the free failures, each
// further one is twice as long up to the last, and all is forgotten after
// Forget without a failure.
type Waits struct {
	Free                int
	First, Last, Forget time.Duration
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

// Share has failures counted by f, too. It is for the time before the first
// call.
func (l *Lockout) Share(f Failures) { l.shared = f }

// Open tells whether the name may be tried now.
func (l *Lockout) Open(name string, now time.Time) bool {
	if l.free == 0 {
		return true
	}
	if l.shared != nil {
		if locked, known := l.shared.Locked(name); known {
			return !locked
		}
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
	accepted = l.own(name, right, now)
	if l.shared != nil {
		waits := Waits{Free: l.free, First: firstWait, Last: lastWait, Forget: forget}
		if decided, known := l.shared.Verdict(name, right, waits); known {
			return decided
		}
	}
	return accepted
}

// own is the verdict of this process alone.
func (l *Lockout) own(name string, right bool, now time.Time) (accepted bool) {
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
