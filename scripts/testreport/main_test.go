package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		events []string
		count  string
		says   []string
		hides  []string
	}{
		"passes, and is quiet about it": {
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}`,
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"pass","Package":"p","Elapsed":1.25}`,
			},
			count: "1 passed, 0 failed, 0 skipped\n",
			says:  []string{"ok   p 1.2 s\n"},
			hides: []string{"chatter"},
		},
		"a failing test is shown with what it said": {
			events: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"got 1, want 2\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"fail","Package":"p","Elapsed":1}`,
			},
			count: "0 passed, 1 failed, 0 skipped\n",
			says:  []string{"--- p TestA\ngot 1, want 2\n", "FAIL p 1.0 s\n"},
		},
		"a panic leaves its test without an end": {
			events: []string{
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestB","Output":"panic: here\n"}`,
				`{"Action":"fail","Package":"p","Elapsed":1}`,
			},
			count: "1 passed, 1 failed, 0 skipped\n",
			says:  []string{"panic: here\n"},
		},
		"a package that does not build is one failure": {
			events: []string{
				`{"Action":"build-output","ImportPath":"p","Output":"undefined: x\n"}`,
				`{"Action":"build-fail","ImportPath":"p"}`,
				`{"Action":"fail","Package":"p","FailedBuild":"p"}`,
			},
			count: "0 passed, 1 failed, 0 skipped\n",
			says:  []string{"undefined: x\n", "FAIL p"},
		},
		"skips are gathered by reason": {
			events: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: not installed: ruby\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:9: not installed: ruby\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestB"}`,
				`{"Action":"skip","Package":"q"}`,
			},
			count: "0 passed, 0 failed, 2 skipped\n",
			says:  []string{"skipped 2: not installed: ruby\n"},
			hides: []string{"q"},
		},
		"text between the events is passed on, and no test at all is a failure": {
			events: []string{`go: cannot find main module`},
			count:  "0 passed, 1 failed, 0 skipped\n",
			says:   []string{"go: cannot find main module\n", "no test ran\n"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said strings.Builder
			report := newReport(&said)
			if err := report.read(strings.NewReader(strings.Join(tt.events, "\n") + "\n")); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "count")
			if err := report.finish(file); err != nil {
				t.Fatal(err)
			}
			count, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(count) != tt.count {
				t.Errorf("count is %q, want %q", count, tt.count)
			}
			for _, want := range tt.says {
				if !strings.Contains(said.String(), want) {
					t.Errorf("does not say %q:\n%s", want, &said)
				}
			}
			for _, not := range tt.hides {
				if strings.Contains(said.String(), not) {
					t.Errorf("says %q:\n%s", not, &said)
				}
			}
		})
	}
}
