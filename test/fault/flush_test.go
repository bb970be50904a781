package fault_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFlushedBeforeAnswer is DUR-2: what goes to the socket was on the disk
// before.
func TestFlushedBeforeAnswer(t *testing.T) {
	t.Parallel()
	must(t, newSite(t, customer{balance: rich}).flushed(t))
}

// TestFlushedBeforeAnswerControl: SQLite with less than FULL.
func TestFlushedBeforeAnswerControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, customer{balance: rich}).lacking(t, "normal")
	mustCatch(t, "left before", s.flushed(t))
}

// flushed traces a node that one caller makes forty charges at.
func (s *site) flushed(t *testing.T) (problems []string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		lack(t, err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	n := s.newNode(t)
	// -D makes the node the child, and strace its child: signals reach the node.
	n.before = []string{strace, "-D", "-f", "-s", "200", "-e", "trace=fsync,fdatasync,write", "-o", trace}
	n.start(t)
	n.ready(t)
	const calls = 40
	c := newCaller(n.address)
	defer c.close()
	for i := range calls {
		if r := c.inquire(t.Context(), 0, i%people, ""); !r.ok() {
			t.Fatal(r)
		}
	}
	n.stop(t)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	flushes, since, answers := 0, 0, 0
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.Contains(line, "sync") && strings.HasSuffix(line, "= 0\n"):
			since++
		case strings.Contains(line, `, "HTTP/1.1 200`) && strings.Contains(line, "application/json"):
			if answers++; since == 0 {
				problems = append(problems, fmt.Sprintf("answer %d left before anything was flushed for it", answers))
			}
			flushes, since = flushes+since, 0
		}
	}
	if answers != calls {
		t.Fatalf("%d answers in the trace, want %d", answers, calls)
	}
	t.Logf("%d flushes for %d charges", flushes, calls)
	return problems
}
