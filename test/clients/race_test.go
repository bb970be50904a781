//go:build race

package clients_test

// raceDetector builds the server like the test: under -race, every sample looks for data races too.
const raceDetector = true
