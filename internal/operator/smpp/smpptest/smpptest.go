// Package smpptest owns a message centre for tests and benchmarks: it takes
// binds and parts, answers as it is told to, and brings receipts and messages
// of phones until they are taken. What it sends and reads are the bytes of the
// package pdu, so that a mistake there shows only with a peer that is not ours.
package smpptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// Options is how a message centre behaves. The zero value takes every bind and
// every part, answers at once with decimal ids, sends nothing, and keeps
// nothing.
type Options struct {
	Address            string // default: a free port of the loopback
	SystemID, Password string // who may bind; both empty for anybody
	TLS                *tls.Config
	// ID spells the id of the nth part that is taken, from 1.
	ID func(n uint64) string
	// Answer decides about a part. Calls of one bind follow each other; those
	// of several run at the same time.
	Answer func(Part) Answer
	// Receipts are brought after a part was taken.
	Receipts func(p Part, id string) []pdu.Message
	// Window is how many messages are brought at once on a bind; default 100.
	Window int
	// Keep has Parts tell all that were taken.
	Keep bool
}

// Part is a submit_sm that came. Its Text and Options are good until the
// function returns that was given it; those of Parts are good for ever.
type Part struct {
	pdu.Message
	Arrived uint64 // the how manieth it is, from 1
	At      time.Time
	ID      string // once it was taken
}

// Answer is what becomes of a part.
type Answer struct {
	Status pdu.Status
	Silent bool // no answer is sent; the part is taken if Status is OK
	Drop   bool // the connection is cut instead of, or right after, the answer
}

// Server is a message centre.
type Server struct {
	options Options
	address string
	waiting chan struct{} // there is something in outbox; holds one value
	running sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener // nil where there is none
	stopped  bool
	peers    map[*peer]bool
	arrived  uint64
	taken    uint64
	kept     []Part
	bound    uint64
	outbox   []delivery
	brought  uint64
}

// delivery is a message that is to be brought.
type delivery struct {
	message pdu.Message
	taken   func(pdu.Status) // nil: it is brought until it is taken
}

// Start runs a message centre until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Listen runs one until Close.
func Listen(o Options) (*Server, error) {
	s := New(o)
	return s, s.Resume()
}

// New makes one that does not listen: connections are given to Serve. Resume
// has it listen.
func New(o Options) *Server {
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.ID == nil {
		o.ID = func(n uint64) string { return strconv.FormatUint(n, 10) }
	}
	if o.Window == 0 {
		o.Window = 100
	}
	return &Server{options: o, address: o.Address, waiting: make(chan struct{}, 1), peers: map[*peer]bool{}}
}

// Address is host:port.
func (s *Server) Address() string { return s.address }

// Bound is how many binds were ever taken.
func (s *Server) Bound() uint64 { return s.count(&s.bound) }

// Arrived is how many parts came.
func (s *Server) Arrived() uint64 { return s.count(&s.arrived) }

// Taken is how many of them were taken.
func (s *Server) Taken() uint64 { return s.count(&s.taken) }

// Brought is how many messages were taken that were brought.
func (s *Server) Brought() uint64 { return s.count(&s.brought) }

func (s *Server) count(n *uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *n
}

// Parts are those that were taken, in their order, where Keep is set.
func (s *Server) Parts() []Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Part(nil), s.kept...)
}

// Bring has messages delivered until they are taken, on whichever bind
// receives.
func (s *Server) Bring(messages ...pdu.Message) {
	for _, m := range messages {
		s.put(delivery{message: m})
	}
}

// Deliver brings one message once, and gives what was answered.
func (s *Server) Deliver(ctx context.Context, m pdu.Message) (pdu.Status, error) {
	answered := make(chan pdu.Status, 1)
	s.put(delivery{message: m, taken: func(status pdu.Status) { answered <- status }})
	select {
	case status := <-answered:
		return status, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("no answer: %w", context.Cause(ctx))
	}
}

// put leaves a message where the binds find it. It never waits: who reads answers
// must not wait for who waits for answers.
func (s *Server) put(d delivery) {
	s.mu.Lock()
	s.outbox = append(s.outbox, d)
	s.mu.Unlock()
	s.tell()
}

func (s *Server) tell() {
	select {
	case s.waiting <- struct{}{}:
	default:
	}
}

// next is the oldest in the outbox; there is none once the peer has ended.
func (s *Server) next(ended chan struct{}) (d delivery, ok bool) {
	for {
		select {
		case <-s.waiting:
		case <-ended:
			return d, false
		}
		s.mu.Lock()
		if ok = len(s.outbox) > 0; ok {
			d, s.outbox = s.outbox[0], s.outbox[1:]
		}
		more := len(s.outbox) > 0
		s.mu.Unlock()
		if more {
			s.tell()
		}
		if ok {
			return d, true
		}
	}
}

// Write writes raw octets to everyone who is bound.
func (s *Server) Write(b []byte) {
	for _, p := range s.everyone() {
		p.put(func(out []byte) []byte { return append(out, b...) })
	}
}

// Cut cuts every connection.
func (s *Server) Cut() {
	for _, p := range s.everyone() {
		p.end()
	}
}

func (s *Server) everyone() []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*peer
	for p := range s.peers {
		all = append(all, p)
	}
	return all
}

// Stop cuts every connection and takes no new ones until Resume.
func (s *Server) Stop() {
	s.mu.Lock()
	listener := s.listener
	s.listener, s.stopped = nil, true
	s.mu.Unlock()
	if listener != nil {
		_ = listener.Close()
	}
	s.Cut()
}

// Resume takes connections again, at the same address.
func (s *Server) Resume() error {
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("smpptest: %w", err)
	}
	s.address = listener.Addr().String()
	if s.options.TLS != nil {
		listener = tls.NewListener(listener, s.options.TLS)
	}
	s.mu.Lock()
	s.listener, s.stopped = listener, false
	s.mu.Unlock()
	s.running.Go(func() { s.accept(listener) })
	return nil
}

// Close ends it.
func (s *Server) Close() {
	s.Stop()
	s.running.Wait()
}

func (s *Server) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		s.running.Go(func() { s.Serve(conn) })
	}
}

// Serve speaks to one peer until the connection ends.
func (s *Server) Serve(conn net.Conn) {
	p := newPeer(s, conn)
	s.mu.Lock()
	open := !s.stopped
	if open {
		s.peers[p] = true
	}
	s.mu.Unlock()
	if !open { // it came while Stop was at work
		_ = conn.Close()
		return
	}
	p.run()
	s.mu.Lock()
	delete(s.peers, p)
	s.mu.Unlock()
}

// take counts a part, decides about it, and keeps it.
func (s *Server) take(m pdu.Message) (Answer, Part) {
	s.mu.Lock()
	s.arrived++
	p := Part{Message: m, Arrived: s.arrived, At: time.Now()}
	s.mu.Unlock()
	var a Answer
	if s.options.Answer != nil {
		a = s.options.Answer(p)
	}
	if a.Status != pdu.OK {
		return a, p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	p.ID = s.options.ID(s.taken)
	if s.options.Keep {
		p.Text, p.Options = append([]byte(nil), m.Text...), append(pdu.Options(nil), m.Options...)
		s.kept = append(s.kept, p)
	}
	return a, p
}
