package smpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// The waits between attempts to bind. One wait and one attempt that comes to
// nothing are less than the 10 s within which a message centre that is back is
// to be bound to. Where it knows us and not our password, asking often could
// lock us out.
const (
	firstWait   = 25 * time.Millisecond
	lastWait    = 4 * time.Second
	refusedWait = time.Minute
	connectTime = 5 * time.Second
)

// link is one bind that is kept up: after each session comes the next.
type link struct {
	operator *Operator
	kind     pdu.Command
	dial     func(context.Context) (net.Conn, error)
	pace     *pace

	mu      sync.Mutex
	session *session // nil while there is none

	// what the log was told last, and when: run's alone
	told   string
	toldAt time.Time
}

func kinds(bind string) []pdu.Command {
	if bind == pair {
		return []pdu.Command{pdu.BindTransmitter, pdu.BindReceiver}
	}
	return []pdu.Command{pdu.BindTransceiver}
}

// dialer connects, with TLS where that is set.
func (s Settings) dialer() (func(context.Context) (net.Conn, error), error) {
	if s.dial != nil {
		return s.dial, nil
	}
	config, err := s.tls()
	if err != nil {
		return nil, err
	}
	plain := &net.Dialer{KeepAlive: 15 * time.Second}
	if config == nil {
		return func(ctx context.Context) (net.Conn, error) { return plain.DialContext(ctx, "tcp", s.Address) }, nil
	}
	secure := &tls.Dialer{NetDialer: plain, Config: config}
	return func(ctx context.Context) (net.Conn, error) { return secure.DialContext(ctx, "tcp", s.Address) }, nil
}

// run binds until the context ends.
func (l *link) run(ctx context.Context) {
	for attempt := 0; !l.operator.closes(); attempt++ {
		s, err := l.bind(ctx)
		if err == nil {
			if err = l.serve(ctx, s); s.useful() {
				attempt = 0
			}
		}
		if l.operator.closes() {
			return
		}
		l.tell(err)
		select {
		case <-time.After(wait(attempt, err)):
		case <-ctx.Done():
		}
	}
}

// tell logs why there is no bind; the same reason again once a minute.
func (l *link) tell(err error) {
	if err.Error() == l.told && time.Since(l.toldAt) < time.Minute {
		return
	}
	l.told, l.toldAt = err.Error(), time.Now()
	l.operator.log.Fail("smpp: no bind to "+l.operator.settings.Name, err)
}

// wait grows with the attempts; its jitter keeps many binds from asking at the
// same moment.
func wait(attempt int, err error) time.Duration {
	most := lastWait
	var refused *refusal
	if errors.As(err, &refused) && (refused.status == pdu.InvalidPassword || refused.status == pdu.InvalidSystemID) {
		most = refusedWait
	}
	d := min(firstWait<<min(attempt, 12), most)
	return d/2 + rand.N(d/2)
}

// refusal is the message centre's no to a bind.
type refusal struct{ status pdu.Status }

func (r *refusal) Error() string {
	return fmt.Sprintf("the bind was refused with status %#x", uint32(r.status))
}

// bind connects and binds.
func (l *link) bind(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	s := newSession(l, conn)
	if err := s.introduce(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("bind: %w", err)
	}
	return s, nil
}

// serve runs a session to its end, and tells why it ended.
func (l *link) serve(ctx context.Context, s *session) error {
	if err := s.conn.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	defer context.AfterFunc(ctx, func() { s.end(errClosed, nil) })()
	l.operator.log.Note("smpp: bound", "operator", l.operator.settings.Name)
	// While Ready tells of this bind parts are taken, and those that go down
	// with it are told when it does no longer.
	if l.sends() {
		l.operator.risen()
	}
	l.become(s)
	err := s.run()
	l.become(nil)
	if l.sends() {
		l.operator.fallen()
	}
	s.abandon()
	return err
}

func (l *link) become(s *session) {
	l.mu.Lock()
	l.session = s
	l.mu.Unlock()
	l.operator.changed.Raise()
}

func (l *link) current() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session
}

func (l *link) sends() bool { return l.kind != pdu.BindReceiver }

func (l *link) canSend() bool { return l.sends() && l.current() != nil }

// leave ends the link's session in good order.
func (l *link) leave(ctx context.Context) error {
	if s := l.current(); s != nil {
		return s.leave(ctx)
	}
	return nil
}
