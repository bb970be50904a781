package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"dargah.dev/dargah/internal/throwaway"
)

// node is one process of a site. It keeps its address over its lives.
type node struct {
	site    *site
	address string   // host:port
	before  []string // a command line that the node is run by

	mu   sync.Mutex
	life *life
}

// life is one run of a node.
type life struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone; then err and output may be read
	err    error
	output bytes.Buffer
}

// newNode takes an address for a node that is not started yet.
func (s *site) newNode(t testing.TB) *node {
	t.Helper()
	return &node{site: s, address: throwaway.FreeAddress(t)}
}

// start makes a node and waits until it is ready.
func (s *site) start(t testing.TB) *node {
	t.Helper()
	n := s.newNode(t)
	n.start(t)
	n.ready(t)
	return n
}

// start runs the node's process; the test's end kills it.
func (n *node) start(t testing.TB) {
	t.Helper()
	command := append(append(slices.Clone(n.before), n.site.binary), "serve", "--config", n.site.config(t, n.address))
	l := &life{cmd: exec.Command(command[0], command[1:]...), exited: make(chan struct{})}
	l.cmd.Dir = n.site.dir
	l.cmd.Env = environment(n.site.dir)
	l.cmd.Stderr = &l.output // what it says when it is ready is left to its own tests
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		l.err = l.cmd.Wait()
		close(l.exited)
	}()
	t.Cleanup(func() {
		_ = l.cmd.Process.Kill() // it may be gone already
		<-l.exited
		if t.Failed() && l.output.Len() > 0 {
			t.Logf("%s said:\n%.4000s", n.address, &l.output)
		}
	})
	n.mu.Lock()
	n.life = l
	n.mu.Unlock()
}

func (n *node) now() *life {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life
}

// ready waits until /readyz says so, and gives how long that took.
func (n *node) ready(t testing.TB) time.Duration {
	t.Helper()
	return n.until(t, "/readyz", http.StatusOK)
}

// until asks a page again and again until it answers with the status.
func (n *node) until(t testing.TB, page string, status int) time.Duration {
	t.Helper()
	from, last := time.Now(), ""
	l := n.now()
	for tick := time.Tick(5 * time.Millisecond); time.Since(from) < patience; {
		got, err := n.look(t.Context(), page)
		if err == nil && got == status {
			return time.Since(from)
		}
		last = fmt.Sprint(got, err)
		select {
		case <-tick:
		case <-l.exited:
			t.Fatalf("%s ended while %d of %s was waited for: %v\n%s", n.address, status, page, l.err, &l.output)
		}
	}
	t.Fatalf("%s: %s was not %d within %v, but %s", n.address, page, status, patience, last)
	return 0
}

// lookers asks pages on a connection each: one that is kept could be of an
// earlier life.
var lookers = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}

func (n *node) look(ctx context.Context, page string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.address+page, nil)
	if err != nil {
		return 0, err
	}
	answer, err := lookers.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// kill ends the process without a warning.
func (n *node) kill(t testing.TB) {
	t.Helper()
	l := n.now()
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatalf("kill: %v\n%s", err, &l.output)
	}
	<-l.exited
	var exit *exec.ExitError
	if !errors.As(l.err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the node ended before it was killed: %v\n%s", l.err, &l.output)
	}
}

// stop asks the node to end, which it must do well, and gives how long it took.
// Under the race detector the exit status tells of races too.
func (n *node) stop(t testing.TB) time.Duration {
	t.Helper()
	l, from := n.now(), time.Now()
	n.signal(t, syscall.SIGTERM)
	select {
	case <-l.exited:
		if l.err != nil {
			t.Errorf("after SIGTERM: %v, want exit status 0\n%s", l.err, &l.output)
		}
	case <-time.After(patience):
		t.Error("still running after SIGTERM")
	}
	return time.Since(from)
}

func (n *node) signal(t testing.TB, what os.Signal) {
	t.Helper()
	l := n.now()
	if err := l.cmd.Process.Signal(what); err != nil {
		t.Errorf("%v: %v\n%s", what, err, &l.output)
	}
}
