package fault_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/throwaway"
)

// proxy stands between a node and a server of its and makes the network fail.
// It takes whole connections and never looks into them.
type proxy struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	pairs    map[*pair]struct{}
	delay    time.Duration // of each piece that the server sends
	all      sync.WaitGroup
}

// pair is one connection through the proxy.
type pair struct{ client, server net.Conn }

// newProxy makes a proxy that lets everything through to the target.
func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	p := &proxy{address: throwaway.FreeAddress(t), target: target, pairs: map[*pair]struct{}{}}
	p.admit(t)
	t.Cleanup(func() {
		p.refuse()
		p.all.Wait()
	})
	return p
}

// slow makes every piece from the server come so much later; 0 ends it.
func (p *proxy) slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// reset breaks all connections; new ones are taken.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.close()
	}
}

// refuse breaks all connections and takes no new ones.
func (p *proxy) refuse() {
	p.mu.Lock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	p.reset()
}

// admit takes connections, again after refuse.
func (p *proxy) admit(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener = l
	p.all.Go(func() {
		for {
			client, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				p.all.Go(func() { p.serve(l, client) })
			}
		}
	})
}

func (p *proxy) serve(of net.Listener, client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		(&pair{client, client}).close()
		return
	}
	pair := &pair{client, server}
	p.mu.Lock()
	if p.listener != of { // refused meanwhile
		pair.close()
	}
	p.pairs[pair] = struct{}{}
	p.mu.Unlock()
	p.all.Go(func() { p.copy(pair, server, client, func() time.Duration { return 0 }) })
	p.copy(pair, client, server, p.late)
	p.mu.Lock()
	delete(p.pairs, pair)
	p.mu.Unlock()
}

func (p *proxy) late() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay
}

func (p *proxy) copy(pair *pair, to io.Writer, from io.Reader, late func() time.Duration) {
	defer pair.close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if wait := late(); wait > 0 && n > 0 {
			<-time.After(wait)
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// close resets both sides: the peers see a broken connection, not an end.
func (p *pair) close() {
	for _, c := range []net.Conn{p.client, p.server} {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}
