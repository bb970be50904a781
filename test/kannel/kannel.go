// Package kannel starts Kannel before a message centre: an SMS gateway that is
// not ours, for tests that speak with it (test/smsc) and for what is measured
// beside us (test/bench). What it is given to send is theirs.
package kannel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Options is what Kannel is started with. Dir, Centre, SystemID and Password are
// needed.
type Options struct {
	Dir                        string // for its files; it is made
	Centre, SystemID, Password string // the message centre, as host:port
	Window                     int    // parts without an answer; 0: Kannel's own
	Spool                      bool   // what it takes is in files; otherwise in memory alone
	Told                       string // what it asks for each message of a phone, with its own escapes; empty: nothing
	Quiet                      bool   // it logs what goes wrong alone
}

// Kannel is its two programs at work.
type Kannel struct {
	Address   string      // of its sendsms, whose user is User and whose password Password
	Processes []*exec.Cmd // in the order in which they end
	watchers  []watcher
	logs      []string
}

// The user of sendsms.
const (
	User     = "tester"
	Password = "made-up"
)

// ErrMissing says that Kannel is not installed.
var ErrMissing = errors.New("not installed: Debian package kannel")

const settings = `
group = core
admin-port = %[1]d
admin-password = made-up
admin-interface = 127.0.0.1
smsbox-port = %[2]d
smsbox-interface = 127.0.0.1
dlr-storage = internal
%[3]s
group = smsc
smsc = smpp
smsc-id = ours
host = %[4]s
port = %[5]s
smsc-username = %[6]s
smsc-password = %[7]s
system-type = VMA
transceiver-mode = true
enquire-link-interval = 1
reconnect-delay = 1
%[8]s
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %[9]d
sendsms-interface = 127.0.0.1

group = sendsms-user
username = ` + User + `
password = ` + Password + `
max-messages = 5
concatenation = true

group = sms-service
keyword = default
%[10]s
max-messages = 0
`

// Start returns when it is bound and takes messages. It ends with Stop, or when
// this process does.
func Start(o Options) (*Kannel, error) {
	bearerbox, smsbox := program("bearerbox"), program("smsbox")
	if bearerbox == "" || smsbox == "" {
		return nil, ErrMissing
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(o.Dir, "kannel.conf")
	if err := o.write(file, ports); err != nil {
		return nil, fmt.Errorf("set Kannel up: %w", err)
	}
	k := &Kannel{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[2]))}
	status := fmt.Sprintf("http://127.0.0.1:%d/status.txt?password=made-up", ports[0])
	for _, step := range []struct{ program, until string }{{bearerbox, "(online"}, {smsbox, "smsbox:"}} {
		log, err := k.run(step.program, file, o)
		if err == nil {
			err = await(func() bool { return says(status, step.until) })
		}
		// Its port opens before it knows the bearerbox, and a text that comes in
		// between kills it. The heart beats from when it does.
		if err == nil && step.program == smsbox && !o.Quiet {
			err = await(func() bool {
				said, err := os.ReadFile(log)
				return err == nil && bytes.Contains(said, []byte("heartbeat_thread"))
			})
		}
		if err != nil {
			said := k.Said()
			k.Stop()
			return nil, fmt.Errorf("%s: %w: %s", step.program, err, said)
		}
	}
	return k, nil
}

func (o Options) write(file string, ports []int) error {
	store, window, told := "", "", "text = none"
	if o.Spool {
		place := filepath.Join(o.Dir, "spool")
		if err := os.MkdirAll(place, 0o700); err != nil {
			return err
		}
		store = "store-type = spool\nstore-location = " + place + "\n"
	}
	if o.Window > 0 {
		window = fmt.Sprintf("max-pending-submits = %d\n", o.Window)
	}
	if o.Told != "" {
		told = `get-url = "` + o.Told + `"`
	}
	host, port, err := net.SplitHostPort(o.Centre)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	text := fmt.Appendf(nil, settings, ports[0], ports[1], store, host, port, o.SystemID, o.Password, window, ports[2], told)
	return os.WriteFile(file, text, 0o600)
}

// Stop ends it.
func (k *Kannel) Stop() {
	for i, p := range k.Processes {
		k.watchers[i].dismiss()
		_ = p.Process.Signal(syscall.SIGTERM)
		killed := time.AfterFunc(5*time.Second, func() { _ = p.Process.Kill() })
		_ = p.Wait() // how it ends is of no interest
		killed.Stop()
	}
}

// Said is what it has logged.
func (k *Kannel) Said() (text string) {
	for _, log := range k.logs {
		said, _ := os.ReadFile(log)
		text += filepath.Base(log) + ":\n" + string(said)
	}
	return text
}

// run starts a program, and gives the file of its words.
func (k *Kannel) run(program, settings string, o Options) (log string, err error) {
	log = filepath.Join(o.Dir, filepath.Base(program)+".log")
	words, err := os.Create(log)
	if err != nil {
		return "", err
	}
	defer words.Close()
	level := "0"
	if o.Quiet {
		level = "3"
	}
	cmd := exec.Command(program, "-v", level, settings)
	cmd.Stdout, cmd.Stderr = words, words
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w, err := watch(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return "", err
	}
	// The last one is ended first: it speaks to the one before.
	k.Processes, k.watchers = append([]*exec.Cmd{cmd}, k.Processes...), append([]watcher{w}, k.watchers...)
	k.logs = append(k.logs, log)
	return log, nil
}

// watcher is a shell that ends a process when this one ends, however it does:
// its input ends then.
type watcher struct {
	shell *exec.Cmd
	input io.Closer
}

func watch(pid int) (watcher, error) {
	cmd := exec.Command("sh", "-c", `read -r line; kill -KILL "$1"`, "sh", strconv.Itoa(pid))
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	return watcher{cmd, input}, err
}

func (w watcher) dismiss() {
	_ = w.shell.Process.Kill()
	_ = w.shell.Wait()
	_ = w.input.Close()
}

func program(name string) string {
	for _, place := range []string{name, filepath.Join("/usr/sbin", name)} {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	return ""
}

// freePorts gives some that nobody has, below those of outgoing connections.
func freePorts(n int) (ports []int, err error) {
	for tries := 0; len(ports) < n; tries++ {
		var l net.Listener
		l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(15_000+rand.IntN(17_000))))
		if err != nil {
			if tries > 1000 {
				return nil, err
			}
			continue
		}
		defer l.Close() // no port is given twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func await(so func() bool) error {
	const step, patience = 20 * time.Millisecond, time.Minute
	tick := time.NewTicker(step)
	defer tick.Stop()
	for start := time.Now(); !so(); <-tick.C {
		if time.Since(start) > patience {
			return errors.New("it did not start")
		}
	}
	return nil
}

// says tells whether a page holds some words.
func says(page, words string) bool {
	r, err := http.Get(page)
	if err != nil {
		return false
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return err == nil && bytes.Contains(text, []byte(words))
}
