package httpd

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"dargah.dev/dargah/internal/event"
)

// Crowd bounds the open connections of all listeners that it admits to. One
// connection too many is closed at once: left waiting it would look to its
// caller like a server that is slow.
type Crowd struct {
	// PerAddress is for one IPv4 address or one IPv6 network of 64 bits, which
	// is what one machine is given; 0 is no limit.
	PerAddress int
	Total      int            // 0 is no limit
	Exempt     []netip.Prefix // proxies, which are many callers at one address
	Log        *event.Log

	mu    sync.Mutex
	open  int
	from  map[netip.Addr]int
	noted time.Time // when a refusal was last noted
}

// noteEvery keeps a flood of connections from being one of the log.
const noteEvery = time.Minute

// admit is the listener, without the connections that are too many.
func (c *Crowd) admit(l net.Listener) net.Listener {
	if c == nil {
		return l
	}
	return &door{Listener: l, crowd: c}
}

type door struct {
	net.Listener
	crowd *Crowd
}

func (d *door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := d.crowd.source(conn.RemoteAddr())
		if d.crowd.enter(from) {
			return &guest{Conn: conn, leave: sync.OnceFunc(func() { d.crowd.exit(from) })}, nil
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset: nothing of it stays in the kernel
		}
		_ = conn.Close()
	}
}

// guest is a connection that was let in.
type guest struct {
	net.Conn
	leave func()
}

// Close may be called more than once.
func (g *guest) Close() error {
	g.leave()
	return g.Conn.Close()
}

// source is what connections are counted by; the zero address for those that
// are not, but in the total.
func (c *Crowd) source(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok || c.PerAddress == 0 {
		return netip.Addr{}
	}
	from := tcp.AddrPort().Addr().Unmap().WithZone("")
	switch {
	case within(from, c.Exempt):
		return netip.Addr{}
	case from.Is4():
		return from
	default:
		return netip.PrefixFrom(from, 64).Masked().Addr()
	}
}

func (c *Crowd) enter(from netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	counted := from.IsValid()
	if c.Total > 0 && c.open >= c.Total || counted && c.from[from] >= c.PerAddress {
		c.note()
		return false
	}
	c.open++
	if counted {
		if c.from == nil {
			c.from = map[netip.Addr]int{}
		}
		c.from[from]++
	}
	return true
}

func (c *Crowd) exit(from netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if !from.IsValid() {
		return
	}
	if c.from[from]--; c.from[from] == 0 {
		delete(c.from, from)
	}
}

func (c *Crowd) note() {
	if now := time.Now(); now.Sub(c.noted) >= noteEvery {
		c.noted = now
		c.Log.Note("connections are refused: too many are open", "open", c.open, "limit", c.Total, "limitPerAddress", c.PerAddress)
	}
}
