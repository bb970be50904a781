// Command bench measures the real server on this machine against a bare
// net/http handler that reads and writes JSON, in the same run, and prints a
// table of ratios. Server and load share the machine, as in any such figure
// that is worth comparing; the ratio is what travels, not the rate.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

type settings struct {
	rounds  int
	seconds time.Duration
	conns   []int
	people  int
	binary  string
	only    string
}

func (s *settings) setConns(text string) error {
	s.conns = nil
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return errors.New("numbers from 1 on, with commas between")
		}
		s.conns = append(s.conns, n)
	}
	return nil
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		bare()
		return
	}
	s := settings{conns: []int{1, 16, 64}}
	flag.IntVar(&s.rounds, "rounds", 3, "how often each row is measured; the median is printed")
	flag.DurationVar(&s.seconds, "for", 2*time.Second, "how long one measurement takes")
	flag.IntVar(&s.people, "people", 10_000, "people in the register")
	flag.Func("conns", "numbers of connections, like 1,16,64", s.setConns)
	flag.StringVar(&s.only, "only", "", "measure only rows whose name holds this, beside the bare handler")
	flag.StringVar(&s.binary, "binary", "", "a built dargah; without it the one of this tree is built")
	flag.Parse()
	if err := measure(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(s settings) error {
	dir, err := os.MkdirTemp("", "dargah-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.binary == "" {
		s.binary = filepath.Join(dir, "dargah")
		if out, err := exec.Command("go", "build", "-o", s.binary, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	plain, err := startBare()
	if err != nil {
		return err
	}
	defer plain.stop()
	dargah, err := startDargah(s, dir)
	if err != nil {
		return err
	}
	defer dargah.stop()
	loads, err := loads(s, plain, dargah)
	if err != nil {
		return err
	}
	loads = slices.DeleteFunc(loads, func(l load) bool { return l.server != plain && !strings.Contains(l.name, s.only) })
	fmt.Printf("%s, %d cores, %s; %d people; %d rounds of %v each, medians; server and load share the cores\n\n",
		processor(), runtime.NumCPU(), runtime.Version(), s.people, s.rounds, s.seconds)
	return table(s, loads)
}

// load is one row of the table.
type load struct {
	name     string
	server   *server
	requests [][]byte // sent in turn
	want     string   // what a right answer holds
}

// table measures every row at every number of connections, the rows in turn
// so that a slow minute of the machine hits all of them.
func table(s settings, loads []load) error {
	fmt.Println("| what | connections | calls/s | ratio to bare | p50 | p99 | µs of processor per call |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, conns := range s.conns {
		results := make([][]result, len(loads))
		for range s.rounds {
			for i, l := range loads {
				r, err := run(l, conns, s.seconds)
				if err != nil {
					return fmt.Errorf("%s at %d connections: %w", l.name, conns, err)
				}
				results[i] = append(results[i], r)
			}
		}
		for i, l := range loads {
			ratios := make([]float64, s.rounds)
			for k := range ratios {
				ratios[k] = results[i][k].rate / results[0][k].rate
			}
			m := medians(results[i])
			fmt.Printf("| %s | %d | %.0f | %.2f | %s | %s | %.0f |\n", l.name, conns, m.rate, median(ratios), short(m.p50), short(m.p99), m.cpu)
		}
	}
	return nil
}

func medians(rs []result) result {
	pick := func(f func(result) float64) float64 {
		v := make([]float64, len(rs))
		for i, r := range rs {
			v[i] = f(r)
		}
		return median(v)
	}
	return result{
		rate: pick(func(r result) float64 { return r.rate }),
		cpu:  pick(func(r result) float64 { return r.cpu }),
		p50:  time.Duration(pick(func(r result) float64 { return float64(r.p50) })),
		p99:  time.Duration(pick(func(r result) float64 { return float64(r.p99) })),
	}
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

func short(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
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
