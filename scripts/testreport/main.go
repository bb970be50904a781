// Command testreport reads what `go test -json` prints and says it in short: a line per package,
// the output of what failed, why tests were skipped, and a count. It runs no tests itself.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	countFile := flag.String("count", "", "write the line with the count to this `file` instead of printing it")
	flag.Parse()
	report := newReport(os.Stdout)
	if err := report.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport: read the events:", err)
		os.Exit(2)
	}
	if err := report.finish(*countFile); err != nil {
		fmt.Fprintln(os.Stderr, "testreport: write the count:", err)
		os.Exit(2)
	}
	if report.failed > 0 {
		os.Exit(1)
	}
}

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

type test struct{ pkg, name string }

// report counts every test and subtest that ended. A package that fails although none of its
// tests did (it does not build, it panics, it runs out of time) counts as one failure more.
type report struct {
	to                      io.Writer
	passed, failed, skipped int
	output                  map[test][]string // of tests still running; a package's own under ""
	failures                map[string]int    // failed tests by package
	skips                   map[string]int    // skipped tests by reason
}

func newReport(to io.Writer) *report {
	return &report{to: to, output: map[test][]string{}, failures: map[string]int{}, skips: map[string]int{}}
}

func (r *report) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// line takes an event, or passes on what is none: go writes some complaints as plain text.
func (r *report) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		r.print(line)
		return
	}
	of := test{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.output[of] = append(r.output[of], e.Output)
	case "build-output":
		r.print(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e, of)
		}
		delete(r.output, of)
	}
}

func (r *report) endTest(e event, of test) {
	switch e.Action {
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
		r.skips[skipReason(r.output[of])]++
	case "fail":
		r.failed++
		r.failures[e.Package]++
		r.print(fmt.Sprintf("--- %s %s\n", e.Package, e.Test))
		r.print(strings.Join(r.output[of], ""))
	}
}

// endPackage prints what tests said that never ended, since a panic or a time-out is found there.
func (r *report) endPackage(e event) {
	if e.Action == "skip" { // a package without tests
		return
	}
	if e.Action == "fail" {
		r.explain(e.Package)
	}
	word := map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action]
	r.print(fmt.Sprintf("%-4s %s %.1f s\n", word, e.Package, e.Elapsed))
}

func (r *report) explain(pkg string) {
	blamed := r.failures[pkg] > 0
	for _, of := range r.unfinished(pkg) {
		if of.name != "" || !blamed {
			r.print(strings.Join(r.output[of], ""))
		}
		delete(r.output, of)
	}
	if !blamed {
		r.failed++
	}
}

func (r *report) unfinished(pkg string) []test {
	var tests []test
	for of := range r.output {
		if of.pkg == pkg {
			tests = append(tests, of)
		}
	}
	slices.SortFunc(tests, func(a, b test) int { return strings.Compare(a.name, b.name) })
	return tests
}

func (r *report) finish(countFile string) error {
	for _, reason := range slices.Sorted(maps.Keys(r.skips)) {
		r.print(fmt.Sprintf("skipped %d: %s\n", r.skips[reason], reason))
	}
	if r.passed+r.failed+r.skipped == 0 {
		r.failed++
		r.print("no test ran\n")
	}
	count := fmt.Sprintf("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if countFile == "" {
		r.print(count)
		return nil
	}
	return os.WriteFile(countFile, []byte(count), 0o600)
}

func (r *report) print(text string) {
	_, _ = io.WriteString(r.to, text)
}

// skipReason finds the text of t.Skip: the line that starts with a file and a line number.
func skipReason(output []string) string {
	for _, line := range output {
		place, reason, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if ok && strings.Contains(place, ".go:") {
			return reason
		}
	}
	return "no reason given"
}
