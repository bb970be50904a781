package cli

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dargah.dev/dargah/internal/testkit"
)

type node struct {
	*exec.Cmd
	announcement
	errors *bytes.Buffer
}

// serving starts a server on a free port and waits until it is ready.
func serving(t *testing.T, environ []string, args ...string) *node {
	t.Helper()
	n := &node{}
	n.Cmd, n.errors = started(t, environ, &n.announcement, append([]string{"serve", "--json", "--drain", "1s"}, args...)...)
	return n
}

func (n *node) end(t *testing.T) {
	t.Helper()
	if err := n.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := n.Wait(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, n.errors)
	}
}

// furnished is an installation with the people and accounts of killWorld.
func furnished(t *testing.T) (dir string, made greeting) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	r := inquired(t, dir, 0)
	stop(t, r)
	return dir, r.greeting
}

func file(t *testing.T, content string, args ...any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dargah.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, content, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func inquiry(made greeting) string {
	c := made.Credentials
	return fmt.Sprintf(`{"requestContext":{"apiInfo":{"businessId":%q,"businessToken":%q}},"nationalId":%q,"birthDate":%q}`,
		c.Business, c.BusinessToken, c.NationalCode, c.BirthDate)
}

// Nothing is made up at the first start but the key, and who starts it is told
// what to do.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	said(t, 0, []string{"is ready to be served", "A master key was made: " + data + "/master.key", "dargah account add"}, "init", "--data", data)
	if out := said(t, 0, []string{"is ready to be served", "dargah domain add"}, "init", "--data", data); strings.Contains(out, "was made") {
		t.Errorf("made again:\n%s", out)
	}
	config := file(t, "data: %s\nlisten: ['127.0.0.1:0', '[::1]:0']\nnode: here\n", data)
	n := serving(t, nil, "--config", config)
	if n.Accounts != 0 || n.MasterKeyMade || len(n.Listen) != 2 || n.Node != "here" {
		t.Errorf("%+v", n.announcement)
	}
	for _, at := range n.Listen {
		answer, err := http.Get(at + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", at, answer.Status)
		}
	}
	said(t, 1, []string{"several nodes share one installation on PostgreSQL only"}, "serve", "--listen", "127.0.0.1:0", "--data", data)
	n.end(t)
	if log := n.errors.String(); !strings.Contains(log, `"msg":"ready"`) || !strings.Contains(log, `"node":"here"`) || !strings.Contains(log, `"msg":"stopping"`) {
		t.Errorf("the log:\n%s", log)
	}
	said(t, 1, []string{"serves customers"}, "sandbox", "--listen", "127.0.0.1:0", "--data", data)
	said(t, 0, []string{"records, all as they were written"}, "audit", "verify", "--config", config)
	first := serving(t, []string{"DARGAH_DATA=" + filepath.Join(t.TempDir(), "other")}, "--listen", "127.0.0.1:0")
	if !first.MasterKeyMade {
		t.Errorf("%+v", first.announcement)
	}
	first.end(t)
}

func TestAnnouncement(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	n := announcement{Address: "https://api.a.ir", Listen: []string{"https://0.0.0.0:443"}, Database: "/data", MasterKey: "/data/master.key", MasterKeyMade: true, Log: "/log"}
	if err := n.print(&text, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ready at https://api.a.ir", "https://0.0.0.0:443", "/data/master.key", "Keep a copy", "no account", "dargah domain add", "/log"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in:\n%s", want, text.String())
		}
	}
	text.Reset()
	n.Accounts, n.MasterKeyMade = 1, false
	if err := n.print(&text, false); err != nil || strings.Contains(text.String(), "master") || strings.Contains(text.String(), "add") {
		t.Errorf("%v:\n%s", err, text.String())
	}
}

func TestStartsThatAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := testkit.NewCertificate(t, dir, "a")
	untouched := filepath.Join(dir, "data")
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"nowhere":       {nil, []string{"data: must be given"}},
		"no file":       {[]string{"--config", "/nowhere/dargah.yaml"}, []string{"/nowhere/dargah.yaml"}},
		"plain":         {[]string{"--data", untouched, "--listen", "0.0.0.0:0"}, []string{"plain HTTP is not served on", "tls.certificate", "proxies", "insecureHttp"}},
		"one of two":    {[]string{"--data", untouched, "--listen", "127.0.0.1:0,[::]:0"}, []string{"plain HTTP is not served on [::]"}},
		"all mistakes":  {[]string{"--data", untouched, "--drain", "5", "--lockout", "x"}, []string{"flag --drain", "flag --lockout"}},
		"half of TLS":   {[]string{"--data", untouched, "--tls-key", files.Key}, []string{"given together"}},
		"wrong TLS":     {[]string{"--data", untouched, "--listen", "127.0.0.1:0", "--tls-key", files.Chain, "--tls-certificate", files.Key}, []string{"TLS cannot be served", files.Key}},
		"no listener":   {[]string{"--data", untouched, "--config", file(t, "listen: []\n")}, []string{"has no address"}},
		"no folder":     {[]string{"--data", "/dev/null/x", "--listen", "127.0.0.1:0"}, []string{"data folder cannot be made"}},
		"no log":        {[]string{"--data", untouched, "--listen", "127.0.0.1:0", "--log", dir}, []string{"open the log", "- for standard error"}},
		"missing value": {[]string{"--data", ""}, []string{"is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out, err := say(t, append([]string{"serve"}, c.args...)...)
			for _, want := range c.want {
				if !strings.Contains(err, want) {
					t.Errorf("%q is not in:\n%s%s", want, out, err)
				}
			}
			if status == 0 || strings.Contains(err, "goroutine") {
				t.Errorf("status %d\n%s", status, err)
			}
			if _, fault := os.Stat(untouched); !errors.Is(fault, os.ErrNotExist) {
				t.Error("the data folder was made all the same")
			}
		})
	}
	for name, args := range map[string][]string{"said so": {"--insecure-http"}, "behind a proxy": {"--proxies", "192.0.2.1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serving(t, nil, append([]string{"--data", t.TempDir(), "--listen", "0.0.0.0:0"}, args...)...).end(t)
		})
	}
}

// Over TLS the dialects answer as over plain HTTP, in HTTP/1.1 and HTTP/2; a
// signal brings a new certificate and a new log file without a call failing.
func TestTLSAndHangup(t *testing.T) {
	t.Parallel()
	dir, made := furnished(t)
	files := testkit.NewCertificate(t, t.TempDir(), "first")
	log := filepath.Join(t.TempDir(), "log")
	n := serving(t, nil, "--config", file(t, "data: %s\nlog: %s\nlisten: 127.0.0.1:0\ntls: {certificate: %s, key: %s}\n", dir, log, files.Chain, files.Key))
	if !strings.HasPrefix(n.Address, "https://127.0.0.1:") {
		t.Errorf("address %s", n.Address)
	}
	call := func(files testkit.Certificate, two bool) (status, protocol int, text string, err error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: files.Pool}, ForceAttemptHTTP2: two, DisableKeepAlives: !two}}
		defer client.CloseIdleConnections()
		answer, err := client.Post(n.Address+"/api/inquiry/person", "application/json", strings.NewReader(inquiry(made)))
		if err != nil {
			return 0, 0, "", err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		return answer.StatusCode, answer.ProtoMajor, string(body), err
	}
	for version, two := range map[int]bool{1: false, 2: true} {
		status, protocol, text, err := call(files, two)
		if err != nil || status != 200 || protocol != version || !strings.Contains(text, "SUCCESS.") {
			t.Errorf("HTTP/%d: %d in %d: %s %v", version, status, protocol, text, err)
		}
	}
	said(t, 0, []string{"ok"}, "health", "--data", dir, "--listen", strings.TrimPrefix(n.Address, "https://"), "--tls-certificate", files.Chain, "--tls-key", files.Key)
	second := testkit.NewCertificate(t, filepath.Dir(files.Chain), "second")
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	if err := n.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if status, _, _, err := call(second, true); err == nil && status == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new certificate is not in use")
		}
	}
	n.end(t)
	for path, want := range map[string]string{log + ".1": `"status":200`, log: "a new certificate is in use"} {
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%q is not in %s:\n%s %v", want, path, text, err)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	n := serving(t, nil, "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	config := file(t, "data: /nowhere\nlisten: %s\n", strings.TrimPrefix(n.Address, "http://"))
	said(t, 0, []string{"ok"}, "health", "--config", config)
	n.end(t)
	said(t, 1, []string{"does not answer"}, "health", "--config", config)
}

// The service manager is told when calls are answered and when that ends.
func TestNotify(t *testing.T) {
	t.Parallel()
	at := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	n := serving(t, []string{"NOTIFY_SOCKET=" + at}, "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	told := func() string {
		t.Helper()
		if err := socket.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		size, err := socket.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:size])
	}
	if got := told(); got != "READY=1" {
		t.Errorf("told %q", got)
	}
	n.end(t)
	if got := told(); got != "STOPPING=1" {
		t.Errorf("told %q", got)
	}
}

// balanced sends calls to whichever node says that it can serve, as a load
// balancer does.
type balanced struct {
	mu    sync.Mutex
	ready []string
}

func (b *balanced) pick(n uint64) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) == 0 {
		return ""
	}
	return b.ready[n%uint64(len(b.ready))]
}

// watch looks at the nodes again and again until it is told to stop.
func (b *balanced) watch(nodes func() []string, stop chan struct{}) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var ready []string
		for _, at := range nodes() {
			if answer, err := client.Get(at + "/readyz"); err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					ready = append(ready, at)
				}
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

// Nodes are stopped and started one after the other under load, and no call
// fails.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	type place struct {
		dir, address string
		made         greeting
		*node
	}
	places := make([]*place, 2)
	bodies, nodes := map[string]string{}, []string{}
	for i := range places {
		p := &place{}
		p.dir, p.made = furnished(t)
		p.node = serving(t, nil, "--data", p.dir, "--listen", "127.0.0.1:0", "--log", os.DevNull)
		p.address = p.Address
		places[i], bodies[p.address], nodes = p, inquiry(p.made), append(nodes, p.address)
	}
	b, stopWatch, stopLoad := &balanced{ready: nodes}, make(chan struct{}), make(chan struct{})
	go b.watch(func() []string { return nodes }, stopWatch)
	var calls atomic.Uint64
	var load sync.WaitGroup
	for range 8 {
		load.Go(func() {
			for {
				select {
				case <-stopLoad:
					return
				default:
				}
				at := b.pick(calls.Add(1))
				answer, err := http.Post(at+"/api/inquiry/person", "application/json", strings.NewReader(bodies[at]))
				if err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				_, err = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Errorf("a call failed: %s %v", answer.Status, err)
					return
				}
			}
		})
	}
	for _, p := range places {
		p.end(t)
		p.node = serving(t, nil, "--data", p.dir, "--listen", strings.TrimPrefix(p.address, "http://"), "--log", os.DevNull)
		for deadline := time.Now().Add(20 * time.Second); ; { // the balancer has to see it before the other one stops
			b.mu.Lock()
			both := len(b.ready) == 2
			b.mu.Unlock()
			if both {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the node is not ready again")
			}
		}
	}
	close(stopLoad)
	load.Wait()
	close(stopWatch)
	if calls.Load() < 100 {
		t.Errorf("only %d calls were made", calls.Load())
	}
	for _, p := range places {
		p.end(t)
	}
}
