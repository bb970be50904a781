// Package smsc_test speaks SMPP with programs that are not ours: the npm package smpp as a message centre, and
// Kannel as a client of our own message centre for tests. What both ends of our code could have in common as a
// mistake shows here.
package smsc_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// lack skips the test, or fails it where everything is said to be installed.
func lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_SERVERS") == "1" {
		t.Fatalf("not installed: %s", what)
	}
	t.Skipf("not installed: %s", what)
}

// node is a message centre in a process of its own.
type node struct {
	t     *testing.T
	port  int
	input io.Writer

	mu     sync.Mutex
	news   *sync.Cond
	events []happening
	gone   bool
}

// happening is what happened there; see server.js.
type happening struct {
	Event string

	Port int // listening

	Command string // bind
	Known   bool
	Version int

	From, To          string // submit
	TON, NPI, Coding  int
	Class, Registered int
	Priority          int
	Validity, Text    string
	UDH               []string
	Sar               []int
	Payload           bool
	Tag               string // answered
	Status            int
	Do, Message       string // done, error
}

// startNode runs server.js until the test ends: it goes when its input does.
func startNode(t *testing.T) *node {
	t.Helper()
	program, err := exec.LookPath("node")
	if err != nil {
		lack(t, "Debian package nodejs")
	}
	module, err := filepath.Abs(filepath.Join("..", "..", ".tools", "smsc", "node_modules", "smpp"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(module, "package.json")); err != nil {
		lack(t, "npm packages of test/smsc (make setup)")
	}
	cmd := exec.Command(program, "server.js", module)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, input: input}
	n.news = sync.NewCond(&n.mu)
	var reading sync.WaitGroup
	reading.Go(func() { n.read(output) })
	t.Cleanup(func() {
		_ = input.Close()
		reading.Wait()
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	n.port = n.await("listening").Port
	return n
}

func (n *node) read(output io.Reader) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var e happening
		err := json.Unmarshal(lines.Bytes(), &e)
		n.mu.Lock()
		if err == nil {
			n.events = append(n.events, e)
		}
		n.news.Broadcast()
		n.mu.Unlock()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = true
	n.news.Broadcast()
}

func (n *node) address() string { return fmt.Sprintf("127.0.0.1:%d", n.port) }

// await takes the next event of that name.
func (n *node) await(name string) happening {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		for i, e := range n.events {
			if e.Event == name {
				n.events = slices.Delete(n.events, i, i+1)
				return e
			}
		}
		if n.gone {
			n.t.Fatalf("node ended before it said %s", name)
		}
		n.news.Wait()
	}
}

// do has it do something, and returns when it was begun.
func (n *node) do(what string, fields map[string]any) {
	n.t.Helper()
	command := map[string]any{"do": what}
	for k, v := range fields {
		command[k] = v
	}
	line, err := json.Marshal(command)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.input.Write(append(line, '\n')); err != nil {
		n.t.Fatal(err)
	}
	n.await("done")
}
