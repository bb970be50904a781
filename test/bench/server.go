package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dargah.dev/dargah/internal/store"
)

// server is what is under load: its processes, and the database that works for
// it alone.
type server struct {
	address   string // host:port
	processes []*exec.Cmd
	database  int    // the process whose children the database's are; 0 where it is none
	end       func() // ends the processes; nil where they only have to be told
}

func (s *server) stop() {
	if s.end != nil {
		s.end()
		return
	}
	for _, p := range s.processes {
		_ = p.Process.Signal(syscall.SIGTERM)
		_ = p.Wait() // how it ends does not change what was measured
	}
}

// cpu is the processor time that the server and its database have used; 0 where
// the system does not tell.
func (s *server) cpu() time.Duration {
	var used time.Duration
	for _, p := range s.processes {
		used += times(fmt.Sprintf("/proc/%d/stat", p.Process.Pid)).used
	}
	if s.database == 0 {
		return used
	}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range all {
		t := times(file)
		switch s.database {
		case t.pid:
			used += t.used + t.ended
		case t.parent:
			used += t.used
		}
	}
	return used
}

// memory is what the server has of it, in MiB; 0 where the system does not tell.
func (s *server) memory() (mib int) {
	for _, p := range s.processes {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.Process.Pid))
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.Atoi(fields[1])
			mib += pages * os.Getpagesize() >> 20
		}
	}
	return mib
}

// spent is what a process has used of the processor, and those of its children
// that have ended.
type spent struct {
	pid, parent int
	used, ended time.Duration
}

// times reads what the kernel says of a process; nothing if it is gone.
func times(file string) (t spent) {
	text, err := os.ReadFile(file)
	if err != nil {
		return t
	}
	number, rest, _ := strings.Cut(string(text), " ")
	fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:]) // a name may hold anything
	at := func(i int) int {
		n, _ := strconv.Atoi(fields[i])
		return n
	}
	const tick = 10 * time.Millisecond // the kernel counts hundredths here
	t.pid, _ = strconv.Atoi(number)
	t.parent = at(1)
	t.used, t.ended = time.Duration(at(11)+at(12))*tick, time.Duration(at(13)+at(14))*tick
	return t
}

func start(cmd *exec.Cmd) (*server, string, error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, "", fmt.Errorf("%s said nothing: %w", cmd.Path, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return &server{processes: []*exec.Cmd{cmd}}, line, nil
}

// logName is the log in a server's folder.
const logName = "dargah.log"

// startDargah serves an installation as an operator does, but for the log,
// which is beside the data.
func startDargah(s settings, at store.Location, more ...string) (*server, error) {
	if err := os.RemoveAll(filepath.Join(at.Dir, logName)); err != nil {
		return nil, err
	}
	cmd := exec.Command(s.binary, append([]string{
		"serve", "--json", "--listen", "127.0.0.1:0", "--data", at.Dir, "--log", filepath.Join(at.Dir, logName),
	}, more...)...)
	if at.Database != "" {
		cmd.Env = append(os.Environ(), "DARGAH_DATABASE="+at.Database)
	}
	srv, line, err := start(cmd)
	if err != nil {
		return nil, err
	}
	var ready struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil || ready.Address == "" {
		return nil, errors.New("dargah did not say where it listens")
	}
	srv.address = strings.TrimPrefix(ready.Address, "http://")
	return srv, nil
}
