package httpd_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/httpd"
	"dargah.dev/dargah/internal/testkit"
)

// served runs a server on loopback until stop is called, which gives its error.
func served(t *testing.T, s *httpd.Server) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended, ready := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- s.Run(ctx, []net.Listener{l}, func() error { close(ready); return nil })
	}()
	<-ready
	t.Cleanup(cancel)
	return l.Addr().String(), func() error { cancel(); return <-ended }
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// caller is one connection that lasts.
type caller struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *caller {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &caller{c, bufio.NewReader(c)}
}

type heard struct {
	status int
	last   bool // the server closes the connection
}

func (c *caller) ask(path string) (heard, error) {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return heard{}, err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return heard{}, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return heard{answer.StatusCode, answer.Close}, err
}

// visit is a connection with one call on it. One too many is reset at once,
// which the caller may hear while it still connects.
func visit(t *testing.T, address string) (*caller, error) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	one := &caller{conn, bufio.NewReader(conn)}
	_, err = one.ask("/")
	return one, err
}

// The connection after the last one that may be is closed, and its place is
// free again when another one ends.
func TestCrowd(t *testing.T) {
	t.Parallel()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, c := range map[string]struct {
		crowd  *httpd.Crowd
		places int // 0 is no limit
	}{
		"per address":         {&httpd.Crowd{PerAddress: 3}, 3},
		"total":               {&httpd.Crowd{Total: 3}, 3},
		"total below address": {&httpd.Crowd{PerAddress: 4, Total: 3}, 3},
		"proxy":               {&httpd.Crowd{PerAddress: 3, Exempt: loopback}, 0},
		"proxy in the total":  {&httpd.Crowd{PerAddress: 2, Total: 3, Exempt: loopback}, 3},
		"none":                {&httpd.Crowd{}, 0},
		"no crowd":            {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, stop := served(t, &httpd.Server{Handler: http.HandlerFunc(ok), Crowd: c.crowd, Drain: time.Minute})
			var inside []*caller
			for n := range 5 {
				one, err := visit(t, address)
				if want := c.places == 0 || n < c.places; (err == nil) != want {
					t.Errorf("connection %d: %v", n+1, err)
				}
				if err == nil {
					inside = append(inside, one)
				}
			}
			_ = inside[0].Close()
			for deadline := time.Now().Add(10 * time.Second); ; { // the server has to notice first
				if _, err := visit(t, address); err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the place of the one that left is not free")
				}
			}
			for _, one := range inside[1:] {
				if _, err := one.ask("/"); err != nil {
					t.Errorf("one that was inside: %v", err)
				}
				_ = one.Close()
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Told to stop, a server first says so, goes on, and ends each connection with
// an answer; what is under way when the sockets close is still answered.
func TestEndOfAServer(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/", ok)
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { close(entered); <-leave; ok(w, r) })
	address, stop := served(t, &httpd.Server{Handler: mux, Notice: 500 * time.Millisecond, Drain: time.Minute})
	lasting, slow := dial(t, address), dial(t, address)
	if answer, err := lasting.ask("/readyz"); err != nil || answer != (heard{http.StatusOK, false}) {
		t.Fatalf("before: %v %v", answer, err)
	}
	slowly := make(chan error, 1)
	go func() { _, err := slow.ask("/slow"); slowly <- err }()
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for {
		answer, err := dial(t, address).ask("/readyz")
		if err != nil {
			t.Fatalf("the socket was closed before anybody was told: %v", err)
		}
		if answer.status == http.StatusServiceUnavailable {
			break
		}
	}
	if answer, err := lasting.ask("/"); err != nil || answer != (heard{http.StatusOK, true}) {
		t.Errorf("while it is told: %v %v", answer, err)
	}
	if _, err := dial(t, address).ask("/"); err != nil {
		t.Errorf("a new connection while it is told: %v", err)
	}
	for { // until the sockets are closed
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	close(leave)
	if err := <-slowly; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A call that never ends is cut off when its time is over.
func TestEndOfTheDrain(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	log := &testkit.Log{}
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(entered); <-r.Context().Done() })
	address, stop := served(t, &httpd.Server{Handler: handler, Drain: 10 * time.Millisecond, Log: event.New(log, slog.LevelInfo)})
	c := dial(t, address)
	go func() { <-entered; _ = stop() }()
	if _, err := c.ask("/"); err == nil {
		t.Error("answered")
	}
	if !strings.Contains(log.String(), "cut off") {
		t.Errorf("not noted: %s", log)
	}
}

// presented is the name on the certificate that the server shows.
func presented(t *testing.T, address string, minimum, maximum uint16) (name, protocol string, err error) {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{
		InsecureSkipVerify: true, MinVersion: minimum, MaxVersion: maximum, NextProtos: []string{"h2", "http/1.1"}, //nolint:gosec // which one is shown is the question
	})
	if err != nil {
		return "", "", err
	}
	defer c.Close()
	state := c.ConnectionState()
	return state.PeerCertificates[0].Subject.CommonName, state.NegotiatedProtocol, nil
}

func TestCertificateIsReadAnewWhenItChanges(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &testkit.Log{}
	files := testkit.NewCertificate(t, dir, "first")
	certificate, err := httpd.OpenCertificate(files.Chain, files.Key, event.New(log, slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go certificate.Watch(ctx, time.Millisecond)
	address, _ := served(t, &httpd.Server{Handler: http.HandlerFunc(ok), Certificate: certificate})
	shows := func() string {
		t.Helper()
		name, protocol, err := presented(t, address, 0, 0)
		if err != nil || protocol != "h2" {
			t.Fatalf("protocol %q: %v", protocol, err)
		}
		return name
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); !done(); {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not happen:\n%s", what, log)
			}
		}
	}
	if got := shows(); got != "first" {
		t.Errorf("shows %q", got)
	}
	if err := os.WriteFile(files.Chain, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	until("a note of the broken file", func() bool { return strings.Contains(log.String(), "not taken") })
	if got := shows(); got != "first" {
		t.Errorf("with a broken file it shows %q", got)
	}
	testkit.NewCertificate(t, dir, "second")
	until("a new certificate", func() bool { return shows() == "second" })
	for name, c := range map[string]struct {
		minimum, maximum uint16
		good             bool
	}{
		"1.1": {tls.VersionTLS10, tls.VersionTLS11, false}, "1.2": {tls.VersionTLS12, tls.VersionTLS12, true}, "1.3": {tls.VersionTLS13, tls.VersionTLS13, true},
	} {
		if _, _, err := presented(t, address, c.minimum, c.maximum); (err == nil) != c.good {
			t.Errorf("TLS %s: %v", name, err)
		}
	}
}

func TestCertificatesThatCannotBeServed(t *testing.T) {
	t.Parallel()
	a, b := testkit.NewCertificate(t, t.TempDir(), "a"), testkit.NewCertificate(t, t.TempDir(), "b")
	for name, files := range map[string][2]string{
		"no file": {a.Chain + "x", a.Key}, "another's key": {a.Chain, b.Key}, "turned around": {a.Key, a.Chain},
	} {
		if _, err := httpd.OpenCertificate(files[0], files[1], nil); err == nil || !strings.Contains(err.Error(), files[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
