//go:build race

package audit_test

// raceEnabled makes long tests short: what they count does not race.
const raceEnabled = true
