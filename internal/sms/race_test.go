//go:build race

package sms_test

// raceEnabled makes long tests short: what they count does not race.
const raceEnabled = true
