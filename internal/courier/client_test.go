package courier_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/courier"
	"dargah.dev/dargah/internal/webhook"
)

// trap counts the connections to an address.
type trap struct {
	net.Listener
	caught atomic.Int64
}

func setTrap(t *testing.T, network, address string) *trap {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("%s cannot be listened on here: %v", address, err)
	}
	tr := &trap{Listener: l}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tr.caught.Add(1)
			// An answer before the question is one that no client expects.
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return tr
}

func (tr *trap) port() int { return tr.Addr().(*net.TCPAddr).Port }

// names is a name server on loopback. Each name has answers, of which the next
// is given each time, and the last for ever.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string
	conn    net.PacketConn
}

func serveNames(t *testing.T, answers map[string][][]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{answers: answers, conn: conn}
	done := make(chan struct{})
	go func() { defer close(done); n.serve() }()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	b := make([]byte, 512)
	for {
		size, from, err := n.conn.ReadFrom(b)
		if err != nil {
			return
		}
		_, _ = n.conn.WriteTo(n.answer(b[:size]), from)
	}
}

// answer makes a DNS answer (RFC 1035): the question again, and a record for
// each address of the kind that is asked for.
func (n *names) answer(question []byte) []byte {
	var labels []string
	at := 12
	for question[at] != 0 {
		labels = append(labels, string(question[at+1:at+1+int(question[at])]))
		at += 1 + int(question[at])
	}
	kind := binary.BigEndian.Uint16(question[at+1:])
	end := at + 5
	out := bytes.Clone(question[:end])
	binary.BigEndian.PutUint16(out[2:], 0x8180) // an answer, and recursion
	binary.BigEndian.PutUint16(out[8:], 0)
	binary.BigEndian.PutUint16(out[10:], 0)
	count := uint16(0)
	for _, text := range n.next(strings.ToLower(strings.Join(labels, ".")), kind) {
		a := netip.MustParseAddr(text)
		if a.Is4() != (kind == 1) || kind != 1 && kind != 28 {
			continue
		}
		out = append(out, 0xc0, 12)
		out = binary.BigEndian.AppendUint16(out, kind)
		out = append(out, 0, 1, 0, 0, 0, 0) // class IN, not to be kept
		out = binary.BigEndian.AppendUint16(out, uint16(len(a.AsSlice())))
		out = append(out, a.AsSlice()...)
		count++
	}
	binary.BigEndian.PutUint16(out[6:], count)
	return out
}

func (n *names) next(name string, kind uint16) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.answers[name]
	if len(all) == 0 {
		return nil
	}
	if len(all) > 1 && kind == 1 { // both kinds are asked for each time
		n.answers[name] = all[1:]
	}
	return all[0]
}

func newClient(rules webhook.Rules, resolver *net.Resolver, roots *x509.CertPool) *courier.Client {
	return courier.NewClient(courier.Options{Rules: rules, Resolver: resolver, Roots: roots, Now: time.Now})
}

func hookAt(url string) *webhook.Webhook {
	return &webhook.Webhook{ID: "h1", URL: url, Events: webhook.Events, Secret: webhook.NewSecret()}
}

// insideHosts are hosts of URLs that lead, or might lead, to this machine or to
// a network behind it.
var insideHosts = []string{
	"127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.0.0.1.", "127.000.000.001", "0177.0.0.1", "0x7f.0.0.1", "0x7f.0x0.0x0.0x1", "0x7f000001",
	"2130706433", "017700000001", "0", "0.0.0.0", "00.00.00.00", "0.1.2.3", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
	"[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:0.0.0.0]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]",
	"[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[2001::7f00:1]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[fc00::1]",
	"[fd00::1]", "[ff02::1]", "[2001:db8::1]", "10.0.0.1", "10.255.255.255", "100.64.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.0.1",
	"192.0.0.1", "192.0.0.192", "192.168.0.1", "198.18.0.1", "198.19.255.254", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
	"localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "sub.localhost",
	"v4.test", "v4.test.", "V4.TEST", "v6.test", "mapped.test", "both.test", "many.test", "private.test", "meta.test", "nat64.test", "sixtofour.test", "zero.test",
	"[localhost]", "[127.0.0.1]", "[v4.test]", "１２７.0.0.1", "①②⑦.0.0.1", "127。0。0。1", "user@127.0.0.1", "user:word@127.0.0.1", "v4.test@127.0.0.1", "127.0.0.1%00", "127.0.0.1%2f",
}

// TestNothingInside (HOOK-1): whatever the URL is spelt like and wherever its
// name leads, nothing connects here: neither with the check of the URL nor, where
// that is gone round, without it.
func TestNothingInside(t *testing.T) {
	t.Parallel()
	traps := []*trap{setTrap(t, "tcp4", "127.0.0.1:0")}
	port := strconv.Itoa(traps[0].port())
	for network, address := range map[string]string{"tcp4": "127.0.0.2:", "tcp6": "[::1]:"} {
		if l, err := net.Listen(network, address+port); err == nil {
			_ = l.Close()
			traps = append(traps, setTrap(t, network, address+port))
		}
	}
	loop := [][]string{{"127.0.0.1"}}
	resolver := serveNames(t, map[string][][]string{
		"v4.test": loop, "v6.test": {{"::1"}}, "mapped.test": {{"::ffff:127.0.0.1"}}, "both.test": {{"127.0.0.1", "::1"}}, "many.test": {{"10.0.0.1", "127.0.0.1", "127.0.0.2", "::1"}},
		"private.test": {{"192.168.0.1"}}, "meta.test": {{"169.254.169.254"}}, "nat64.test": {{"64:ff9b::7f00:1"}}, "sixtofour.test": {{"2002:7f00:1::"}},
		"zero.test": {{"0.0.0.0", "::"}}, "localhost.localdomain": loop, "ip6-localhost": {{"::1"}}, "sub.localhost": loop, "localhost": loop,
		"2130706433": loop, "0x7f000001": loop, "017700000001": loop, "0177.0.0.1": loop, "0x7f.0.0.1": loop, "127.1": loop, "127.0.1": loop, "0": loop,
	})
	if len(insideHosts) < 80 {
		t.Errorf("%d targets", len(insideHosts))
	}
	client := newClient(webhook.Rules{HTTP: true}, resolver, nil)
	client.SetPatience(3 * time.Second) // for those that name servers outside would be asked for
	var wg sync.WaitGroup
	for _, scheme := range []string{"http", "https"} {
		for _, host := range insideHosts {
			url := scheme + "://" + host + ":" + port + "/"
			wg.Go(func() {
				if status, note := client.Send(t.Context(), hookAt(url), "msg_1", []byte("{}")); status != 0 || note == "" {
					t.Errorf("%s answered %d", url, status)
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
				if err != nil {
					return // such a URL cannot be asked for at all
				}
				if answer, err := client.HTTP().Do(r); err == nil {
					_ = answer.Body.Close()
					t.Errorf("%s answered without the check of the URL", url)
				}
			})
		}
	}
	wg.Wait()
	for _, tr := range traps {
		if n := tr.caught.Load(); n != 0 {
			t.Errorf("%d connections to %s", n, tr.Addr())
		}
	}
	// The red control: the same traps, seen by a client that may.
	free := newClient(webhook.Rules{HTTP: true, Allow: webhook.Loopback}, resolver, nil)
	for _, host := range []string{"127.0.0.1", "v4.test"} {
		if status, note := free.Send(t.Context(), hookAt("http://"+host+":"+port), "msg_1", nil); status != 200 {
			t.Errorf("%s where it is allowed: %d %s", host, status, note)
		}
	}
	if traps[0].caught.Load() != 2 {
		t.Error("the trap sees nothing")
	}
}

// TestPortsAndSchemes: neither is spoken to, even where the address may be.
func TestPortsAndSchemes(t *testing.T) {
	t.Parallel()
	client := newClient(webhook.Rules{HTTP: true, Allow: webhook.Loopback}, nil, nil)
	for _, url := range []string{
		"http://127.0.0.1:22/", "http://127.0.0.1:25/", "http://127.0.0.1:6379/", "http://localhost:11211/",
		"gopher://127.0.0.1:8080/", "file:///etc/passwd", "ftp://127.0.0.1:8080/", "unix:///run/x", "http+unix://x/", "",
	} {
		if status, note := client.Send(t.Context(), hookAt(url), "msg_1", nil); status != 0 || note != "the URL is not allowed" {
			t.Errorf("%s: %d %s", url, status, note)
		}
	}
	strict := newClient(webhook.Rules{Allow: webhook.Loopback}, nil, nil)
	if _, note := strict.Send(t.Context(), hookAt("http://127.0.0.1:8080/"), "msg_1", nil); note != "the URL is not allowed" {
		t.Errorf("plain http: %s", note)
	}
}

// outside stands for the internet: the one address of this machine that these
// tests' rules allow.
var outside = webhook.Rules{HTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}

// TestNameThatChanges: a name that led outside when it was asked first, and leads
// inside after.
func TestNameThatChanges(t *testing.T) {
	t.Parallel()
	good := setTrap(t, "tcp4", "127.0.0.2:0")
	inside := setTrap(t, "tcp4", "127.0.0.1:"+strconv.Itoa(good.port()))
	resolver := serveNames(t, map[string][][]string{
		"changes.test": {{"127.0.0.2"}, {"127.0.0.1"}}, "mixed.test": {{"127.0.0.1", "::1", "127.0.0.2"}},
	})
	client := newClient(outside, resolver, nil)
	url := func(name string) string { return fmt.Sprintf("http://%s:%d/", name, good.port()) }
	if status, note := client.Send(t.Context(), hookAt(url("changes.test")), "msg_1", nil); status != 200 {
		t.Fatalf("outside: %d %s", status, note)
	}
	if status, note := client.Send(t.Context(), hookAt(url("changes.test")), "msg_1", nil); status != 0 || note != "its address is not on the internet" {
		t.Errorf("after it changed: %d %s", status, note)
	}
	if status, note := client.Send(t.Context(), hookAt(url("mixed.test")), "msg_1", nil); status != 200 {
		t.Errorf("mixed: %d %s", status, note)
	}
	if n := inside.caught.Load(); n != 0 {
		t.Errorf("%d connections inside", n)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	inside := setTrap(t, "tcp4", "127.0.0.1:0")
	for _, status := range []int{300, 301, 302, 303, 307, 308, 304} {
		l, err := net.Listen("tcp4", "127.0.0.2:0")
		if err != nil {
			t.Skip(err)
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+inside.Addr().String()+"/")
			w.WriteHeader(status)
		}))
		_ = s.Listener.Close()
		s.Listener = l
		s.Start()
		t.Cleanup(s.Close)
		if got, note := newClient(outside, nil, nil).Send(t.Context(), hookAt(s.URL), "msg_1", nil); got != status || note == "" {
			t.Errorf("%d: %d %q", status, got, note)
		}
	}
	if n := inside.caught.Load(); n != 0 {
		t.Errorf("%d connections inside", n)
	}
}

// open allows what tests listen on.
var open = webhook.Rules{HTTP: true, Allow: webhook.Loopback}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// hang waits until the other side hangs up, which a server sees once it has read
// the whole request.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// TestAnswersAreNotTrusted (HOOK-5).
func TestAnswersAreNotTrusted(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		note   string
	}{
		"a gigabyte": {func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 1<<16)
			for range 1 << 14 {
				n, err := w.Write(block)
				if written.Add(int64(n)); err != nil {
					return
				}
			}
		}, 200, ""},
		"a drip": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			hang(r)
		}, 200, ""},
		"a bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			block := make([]byte, 1<<20)
			for range 64 {
				_, _ = z.Write(block)
			}
			_ = z.Close()
		}, 200, ""},
		"endless headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}, 0, "no connection"},
		"no answer": {func(_ http.ResponseWriter, r *http.Request) { hang(r) }, 0, "no answer in time"},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = c.Write([]byte("SSH-2.0-x\r\n"))
				_ = c.Close()
			}
		}, 0, "no connection"},
		"hung up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "the connection was closed before an answer came"},
		"created": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }, 201, ""},
		"error": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "09120001234", http.StatusInternalServerError)
		}, 500, "answered 500"},
		"gone": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, 410, "answered 410"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(open, nil, nil)
			if name == "no answer" {
				client.SetPatience(200 * time.Millisecond)
			}
			if status, note := client.Send(t.Context(), hookAt(serve(t, c.answer)), "msg_1", []byte("{}")); status != c.status || note != c.note {
				t.Errorf("%d %q, want %d %q", status, note, c.status, c.note)
			}
			if name == "a gigabyte" && written.Load() > 64<<20 {
				t.Errorf("%d bytes were taken", written.Load())
			}
		})
	}
}

func TestBadTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	if status, note := newClient(open, nil, nil).Send(t.Context(), hookAt(s.URL), "msg_1", nil); status != 0 || note != "TLS failed" {
		t.Errorf("a certificate of nobody: %d %s", status, note)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if status, note := newClient(open, nil, roots).Send(t.Context(), hookAt(s.URL), "msg_1", nil); status != 200 {
		t.Errorf("a good one: %d %s", status, note)
	}
	other := strings.Replace(s.URL, "127.0.0.1", "other.test", 1)
	resolver := serveNames(t, map[string][][]string{"other.test": {{"127.0.0.1"}}})
	if status, note := newClient(open, resolver, roots).Send(t.Context(), hookAt(other), "msg_1", nil); status != 0 || note != "TLS failed" {
		t.Errorf("of another name: %d %s", status, note)
	}
	plain := strings.Replace(serve(t, func(http.ResponseWriter, *http.Request) {}), "http:", "https:", 1)
	if status, note := newClient(open, nil, roots).Send(t.Context(), hookAt(plain), "msg_1", nil); status != 0 || note != "TLS failed" {
		t.Errorf("no TLS: %d %s", status, note)
	}
}
