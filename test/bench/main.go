// Command bench measures the real server on this machine against a bare
// net/http handler that reads and writes JSON, in the same run, and prints a
// table of ratios. Server and load share the machine, as in any such figure
// that is worth comparing; the ratio is what travels, not the rate.
//
// The person inquiry is measured on each database and with each size of the
// register that is asked for, the other calls on the first of them. A second
// table has what leaves over SMPP. Kannel is measured too, where it is installed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

type settings struct {
	rounds  int
	tries   int
	seconds time.Duration
	conns   numbers
	people  numbers
	engines string
	binary  string
	only    string
	data    string
}

// numbers is a flag of numbers with commas between.
type numbers []int

func (n *numbers) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(*n)), " ", ","), "[]")
}

func (n *numbers) Set(text string) error {
	*n = nil
	for part := range strings.SplitSeq(text, ",") {
		value, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || value < 1 {
			return errors.New("numbers from 1 on, with commas between")
		}
		*n = append(*n, value)
	}
	return nil
}

func main() {
	if len(os.Args) > 3 && os.Args[1] == "bare" {
		if err := serveBare(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "bench: the bare handler:", err)
			os.Exit(1)
		}
		return
	}
	s := settings{conns: numbers{1, 16, 64}, people: numbers{10_000}}
	flag.IntVar(&s.rounds, "rounds", 3, "how often each row is measured; the median is printed")
	flag.IntVar(&s.tries, "tries", 5, "how often a measurement is made at most while the machine's host takes its processors")
	flag.DurationVar(&s.seconds, "for", 2*time.Second, "how long one measurement takes")
	flag.Var(&s.conns, "conns", "numbers of connections")
	flag.Var(&s.people, "people", "people in the register; several sizes are compared")
	flag.StringVar(&s.engines, "engines", "sqlite,postgres", "databases; a PostgreSQL server is started for the run, and skipped where there is none")
	flag.StringVar(&s.only, "only", "", "measure only rows whose name holds this, beside the bare handler")
	flag.StringVar(&s.binary, "binary", "", "a built dargah; without it the one of this tree is built")
	flag.StringVar(&s.data, "data", "", "folder for the databases; those on SQLite are kept and used again; without it a temporary one")
	flag.Parse()
	s.tries = max(s.tries, 1)
	if err := measure(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(s settings) (err error) {
	dir, err := os.MkdirTemp("", "dargah-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.data == "" {
		s.data = dir
	}
	if s.binary == "" {
		s.binary = filepath.Join(dir, "dargah")
		if out, err := exec.Command("go", "build", "-o", s.binary, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return err
	}
	flushed := filepath.Join(s.data, "flushed-by-bare")
	defer os.Remove(flushed)
	plain, err := startBare(flushed, "")
	if err != nil {
		return err
	}
	defer plain.stop()
	var f field
	defer func() { err = errors.Join(err, f.clear()) }()
	loads, err := f.loads(s, plain)
	if err != nil {
		return err
	}
	loads = append(loads, f.kannels(s, dir)...)
	fmt.Printf("%s, %d cores, %s; %d rounds of %v each, medians; server and load share the cores\n\n",
		processor(), runtime.NumCPU(), runtime.Version(), s.rounds, s.seconds)
	if err := table(s, loads); err != nil {
		return err
	}
	return messages(s, dir)
}

// processor names the machine's processor, where the system tells.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOOS + "/" + runtime.GOARCH
}
