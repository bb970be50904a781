//go:build race

package fault_test

// raceDetector builds the server like the test: it then looks for races too.
const raceDetector = true
