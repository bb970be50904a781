package webhook

import (
	"math/rand/v2"
	"time"
)

// pauses are before each attempt but the first, which is at once.
var pauses = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// Attempts is how often a notice is tried before it is given up.
const Attempts = len(pauses) + 1

// jitter is the part of a pause that chance may add, so that what failed
// together does not come back together.
const jitter = 0.1

// Next is when to try again after so many failed attempts, from 1; false where
// it is to be given up.
func Next(failed int, now time.Time) (time.Time, bool) {
	if failed < 1 || failed > len(pauses) {
		return time.Time{}, false
	}
	pause := pauses[failed-1]
	return now.Add(pause + time.Duration(rand.Float64()*jitter*float64(pause))), true //nolint:gosec // spreads load, guards nothing
}
