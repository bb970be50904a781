//go:build unix

package throwaway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// The keeper starts the server and waits for one word on its standard input:
// the signal to end the server with. End of input means that the test process
// is gone, by whatever way; then the server ends at once, and its folder ($0)
// goes with it. A child that nobody has waited for keeps its number, so no
// signal can reach another process.
const keeper = `last=$1
shift
"$@" >&3 2>&3 3>&- & server=$!
exec 3>&-
folder=$0
read -r signal || { signal=$last; gone=yes; }
kill -s "$signal" $server
wait $server
[ "$gone" != yes ] || rm -rf "$folder"`

// process is a server that runs under a keeper.
type process struct {
	keeper *exec.Cmd
	words  io.WriteCloser
	ended  chan struct{} // the server and all its children are gone

	mu   sync.Mutex
	last []string // what it said last
}

// start runs a server in a folder of its own and returns when a line of what it
// says holds ready. The signal last, such as KILL, ends it when nobody is left
// to end it.
func start(folder, ready, last string, command ...string) (*process, error) {
	p := &process{ended: make(chan struct{})}
	said, saying, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	p.keeper = exec.Command("sh", append([]string{"-c", keeper, folder, last}, command...)...)
	p.keeper.Dir, p.keeper.ExtraFiles = folder, []*os.File{saying}
	p.keeper.SysProcAttr, err = lesser()
	if err == nil {
		p.words, err = p.keeper.StdinPipe()
	}
	if err == nil {
		err = p.keeper.Start()
	}
	if err = errors.Join(err, saying.Close()); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], errors.Join(err, said.Close()))
	}
	up := make(chan struct{})
	go p.listen(said, ready, up)
	select {
	case <-up:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("start %s: it ended, and said:\n%s", command[0], p.said())
	}
}

// listen reads until all who write are gone, so that no child of a killed
// server is taken for the next one's.
func (p *process) listen(said *os.File, ready string, up chan struct{}) {
	const kept = 30
	lines := bufio.NewReader(said)
	for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
		p.mu.Lock()
		p.last = append(p.last[max(0, len(p.last)+1-kept):], line)
		p.mu.Unlock()
		if up != nil && strings.Contains(line, ready) {
			close(up)
			up = nil
		}
	}
	_ = said.Close()
	close(p.ended)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.last, "")
}

// end sends a signal, such as TERM, and waits until all of the server is gone.
func (p *process) end(signal string) error {
	_, err := io.WriteString(p.words, signal+"\n")
	return p.wait(err)
}

// discard ends the server and removes its folder.
func (p *process) discard() error { return p.wait(nil) }

func (p *process) wait(err error) error {
	err = errors.Join(err, p.words.Close())
	<-p.ended
	_ = p.keeper.Wait() // how it ended says nothing: it was told to end
	return err
}

// lesser is how a server is run: in a session of its own, so that an interrupt
// at the keyboard is the test's alone, and never as root, which PostgreSQL
// refuses.
func lesser() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() != 0 {
		return attr, nil
	}
	uid, gid, err := nobody()
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, err
}

// nobody is who servers run as where we are root.
func nobody() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		found, unknown := user.Lookup(name)
		if unknown != nil {
			err = errors.Join(err, unknown)
			continue
		}
		uid, err = strconv.Atoi(found.Uid)
		if err == nil {
			gid, err = strconv.Atoi(found.Gid)
		}
		return uid, gid, err
	}
	return 0, 0, fmt.Errorf("servers do not run as root, and there is nobody else: %w", err)
}

// makeFolder makes a folder that belongs to whom servers run as.
func makeFolder(pattern string) (string, error) {
	folder, err := os.MkdirTemp("", pattern)
	if err != nil || os.Getuid() != 0 {
		return folder, err
	}
	uid, gid, err := nobody()
	if err == nil {
		err = os.Chown(folder, uid, gid)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}

// run runs a program to its end, as whom servers run as.
func run(folder, program string, args ...string) (err error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = folder
	if cmd.SysProcAttr, err = lesser(); err != nil {
		return err
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", program, err, said)
	}
	return nil
}
