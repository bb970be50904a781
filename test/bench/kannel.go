package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Kannel is set as its own guide has it, and says nothing but what goes wrong.
const kannelSettings = `
group = core
admin-port = %[1]d
admin-password = bench
admin-interface = 127.0.0.1
smsbox-port = %[2]d
smsbox-interface = 127.0.0.1
dlr-storage = internal
%[5]s

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = %[4]s
smsc-username = bench
smsc-password = bench
system-type = VMA
transceiver-mode = true
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %[3]d
sendsms-interface = 127.0.0.1

group = sendsms-user
username = bench
password = bench

group = sms-service
keyword = default
text = none
max-messages = 0
`

// startKannel runs Kannel's two programs before a message centre, with its spool
// or with nothing stored.
func startKannel(dir, centre string, spool bool) (*server, error) {
	programs := map[string]string{}
	for _, name := range []string{"bearerbox", "smsbox"} {
		path, err := exec.LookPath(name)
		if err != nil {
			if path, err = exec.LookPath(filepath.Join("/usr/sbin", name)); err != nil {
				return nil, err
			}
		}
		programs[name] = path
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(centre)
	store := ""
	if spool {
		place := filepath.Join(dir, "spool")
		if err := os.MkdirAll(place, 0o700); err != nil {
			return nil, err
		}
		store = "store-type = spool\nstore-location = " + place
	}
	file := filepath.Join(dir, "kannel.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, kannelSettings, ports[0], ports[1], ports[2], port, store), 0o600); err != nil {
		return nil, err
	}
	s := &server{address: fmt.Sprintf("127.0.0.1:%d", ports[2])}
	status := fmt.Sprintf("http://127.0.0.1:%d/status.txt?password=bench", ports[0])
	for _, step := range []struct{ program, until string }{{"bearerbox", "(online"}, {"smsbox", "smsbox:"}} {
		cmd := exec.Command(programs[step.program], "-v", "3", file)
		if err := cmd.Start(); err != nil {
			s.stop()
			return nil, err
		}
		// The last one is ended first: it speaks to the one before.
		s.processes = append([]*exec.Cmd{cmd}, s.processes...)
		if err := says(status, step.until); err != nil {
			s.stop()
			return nil, fmt.Errorf("%s: %w", step.program, err)
		}
	}
	return s, nil
}

// says waits until a page holds some words.
func says(page, words string) error {
	start := time.Now()
	for now := range time.Tick(50 * time.Millisecond) {
		if r, err := http.Get(page); err == nil {
			text, err := io.ReadAll(r.Body)
			_ = r.Body.Close()
			if err == nil && strings.Contains(string(text), words) {
				return nil
			}
		}
		if now.Sub(start) > 10*time.Second {
			break
		}
	}
	return errors.New("it did not start")
}

func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // no port is given twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// kannelSends are messages to many recipients.
func kannelSends() [][]byte {
	all := make([][]byte, 10_000)
	for i := range all {
		all[i] = request("GET", "/cgi-bin/sendsms?"+url.Values{
			"username": {"bench"}, "password": {"bench"}, "from": {"30001234"}, "to": {fmt.Sprintf("98912%07d", i*997)},
			"coding": {"2"}, "charset": {"UTF-8"}, "text": {fmt.Sprintf("کد ورود شما: %06d", i)},
		}.Encode(), "", "", "")
	}
	return all
}
