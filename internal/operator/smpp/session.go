package smpp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// Why a session ends, where no error of the network tells.
var (
	errClosed  = errors.New("closed")
	errUnbound = errors.New("the message centre unbound")
	errSilent  = errors.New("the message centre does not answer")
	errStuffed = errors.New("the message centre sends and does not read")
)

const (
	// mostUnread is how many octets may wait to be written: only a peer that
	// asks and never reads has so many.
	mostUnread = 4 << 20
	// incoming is how many PDUs may be with the sink at once; then the session
	// reads no further.
	incoming = 256
	// sinkTime is how long the sink may take before the PDU is to come again.
	sinkTime = 30 * time.Second
	// lastWords is how long the last PDU of a session may take to be written.
	lastWords = time.Second
)

// session is one connection that is bound, or about to be.
//
// One goroutine reads; one writes what the others have put into out; one takes
// parts from the queue; one watches the time. The first to find that it is over
// calls end, and run returns when all are gone.
type session struct {
	link   *link
	conn   net.Conn
	in     *pdu.Reader
	slots  chan struct{} // the window: a value for each part under way
	sinks  chan struct{} // a value for each PDU that the sink has
	wake   chan struct{} // there is something to write; holds one value
	ended  chan struct{}
	closes chan struct{} // closed when the sink gets nothing more
	once   sync.Once     // closes closes
	unread atomic.Bool   // the reader waits for the sink
	heard  atomic.Int64  // when a PDU came, in nanoseconds
	worked atomic.Bool   // something came beside the bind
	name   atomic.Value  // a string: operator.Arrival's Bind

	mu       sync.Mutex
	out      []byte // whole PDUs, to be written
	queued   uint64 // octets that were ever put into out
	sequence uint32
	pending  map[uint32]pending
	doubtful map[uint32]*operator.Part // that were given up: an answer may still come
	leaving  chan struct{}             // closed when pending is empty; nil unless somebody waits
	unbound  bool                      // nothing more is sent: unbind was, or is about to be
	reason   error                     // why it ended
	words    []byte                    // its last PDU

	written uint64 // octets that the network took; the writer's until it is gone
}

// pending is a request that waits for its answer.
type pending struct {
	command pdu.Command
	call    *call // of a part
	end     uint64
	at      time.Time
}

func newSession(l *link, conn net.Conn) *session {
	s := &session{
		link: l, conn: conn, in: pdu.NewReader(conn), pending: map[uint32]pending{}, doubtful: map[uint32]*operator.Part{},
		slots: make(chan struct{}, l.operator.settings.Window), sinks: make(chan struct{}, incoming),
		wake: make(chan struct{}, 1), ended: make(chan struct{}), closes: make(chan struct{}),
	}
	s.name.Store(rand.Text())
	return s
}

// introduce binds. It runs before all else, alone, under the deadline of the
// connection.
func (s *session) introduce() error {
	o := s.link.operator.settings
	body := pdu.Bind{SystemID: o.SystemID, Password: string(o.Password), SystemType: o.SystemType, Version: pdu.Version34}
	s.sequence = 1
	b, err := body.Append(nil, pdu.Header{Command: s.link.kind, Sequence: s.sequence})
	if err != nil {
		return err
	}
	n, err := s.conn.Write(b)
	s.written, s.queued = uint64(n), uint64(n)
	if err != nil {
		return err
	}
	for {
		h, _, err := s.in.Next()
		switch {
		case err != nil:
			return err
		case h.Command == pdu.Outbind: // an invitation to what is under way
		case h.Command != s.link.kind.Answer() && h.Command != pdu.GenericNack:
			return fmt.Errorf("command %#x came instead of an answer", uint32(h.Command))
		case h.Status != pdu.OK || h.Command == pdu.GenericNack:
			return &refusal{h.Status}
		default:
			return nil
		}
	}
}

// run works until the session is over, and tells why it is.
func (s *session) run() error {
	s.heard.Store(time.Now().UnixNano())
	var all sync.WaitGroup
	all.Go(s.write)
	all.Go(s.watch)
	all.Go(s.read)
	if s.link.sends() {
		all.Go(s.send)
	}
	all.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// abandon answers every part that is still without an answer, after run.
func (s *session) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sequence, p := range s.pending {
		err := operator.ErrDoubt
		if p.end > s.written {
			err = operator.ErrUnsent // no peer can have read it to its end
		}
		s.finish(sequence, p, answer{err: fmt.Errorf("%w: %w", err, s.reason)})
	}
}

// useful tells whether more came of the session than the bind.
func (s *session) useful() bool { return s.worked.Load() }

// end ends the session with a reason, and with a last PDU for the peer. Only the
// first call has an effect.
func (s *session) end(reason error, words []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason != nil {
		return
	}
	s.reason, s.words = reason, words
	close(s.ended)
	s.left()
	now := time.Now()
	_ = s.conn.SetReadDeadline(now) // these fail only where the connection is closed already
	_ = s.conn.SetWriteDeadline(now.Add(lastWords))
}

// leave waits until nothing is under way, and unbinds.
func (s *session) leave(ctx context.Context) error {
	s.once.Do(func() { close(s.closes) })
	quiet := make(chan struct{})
	s.mu.Lock()
	s.leaving = quiet
	if s.reason != nil || len(s.pending) == 0 {
		s.left()
	}
	s.mu.Unlock()
	select {
	case <-quiet:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for range incoming { // no sink is at work when all places are free
		select {
		case s.sinks <- struct{}{}:
		case <-s.ended:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.request(pdu.Unbind)
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// left tells the one who waits in leave. The caller holds the lock.
func (s *session) left() {
	if s.leaving != nil {
		close(s.leaving)
		s.leaving, s.unbound = nil, true
	}
}

// write writes what there is, all that has gathered at a time.
func (s *session) write() {
	defer s.conn.Close()
	var spare []byte
	for {
		select {
		case <-s.wake:
		case <-s.ended:
			if len(s.words) > 0 {
				_, _ = s.conn.Write(s.words) // the peer is told if it listens
			}
			return
		}
		s.mu.Lock()
		batch := s.out
		s.out = spare[:0]
		over := s.reason != nil
		if !over && len(batch) > 0 {
			_ = s.conn.SetWriteDeadline(time.Now().Add(s.link.operator.settings.ResponseWithin))
		}
		s.mu.Unlock()
		if over {
			continue // what is in the batch was never sent
		}
		n, err := s.conn.Write(batch)
		s.written += uint64(n)
		if err != nil {
			s.end(fmt.Errorf("write: %w", err), nil)
			return
		}
		spare = batch
		if cap(spare) > mostUnread/16 {
			spare = nil
		}
	}
}

// put has the writer write what f appends. It fails where f does, and with
// ErrUnsent after the end. The caller holds the lock.
func (s *session) put(f func([]byte) ([]byte, error)) error {
	if s.reason != nil {
		return fmt.Errorf("%w: %w", operator.ErrUnsent, s.reason)
	}
	before := len(s.out)
	out, err := f(s.out)
	if err != nil {
		return err
	}
	s.out = out
	s.queued += uint64(len(out) - before)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// reply answers a request of the peer's. A peer that makes us gather answers is
// left.
func (s *session) reply(to pdu.Header, status pdu.Status) {
	h := pdu.Header{Command: to.Command.Answer(), Status: status, Sequence: to.Sequence}
	s.mu.Lock()
	stuffed := len(s.out) > mostUnread
	if !stuffed {
		_ = s.put(func(b []byte) ([]byte, error) { // after the end there is nobody to answer
			if to.Command == pdu.DeliverSM || to.Command == pdu.DataSM {
				return pdu.AppendAnswer(b, h, "")
			}
			return h.Append(b), nil
		})
	}
	s.mu.Unlock()
	if stuffed {
		s.end(errStuffed, nil)
	}
}

// request sends a request without a body.
func (s *session) request(c pdu.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := pdu.Header{Command: c, Sequence: s.next()}
	_ = s.put(func(b []byte) ([]byte, error) { return h.Append(b), nil }) // after the end nobody asks
}

// next is a sequence number that no pending request has. The caller holds the
// lock.
func (s *session) next() uint32 {
	for {
		s.sequence = s.sequence%pdu.LastSequence + 1
		if _, taken := s.pending[s.sequence]; !taken {
			delete(s.doubtful, s.sequence)
			return s.sequence
		}
	}
}

// watch asks whether the peer is still there, and gives parts up that have
// waited for too long.
func (s *session) watch() {
	o := s.link.operator.settings
	step := time.NewTicker(min(o.EnquireEvery, o.ResponseWithin, 2*time.Second) / 4)
	defer step.Stop()
	asked := time.Now()
	open := false // whether the peer owes a sign of life
	for {
		select {
		case <-s.ended:
			return
		case now := <-step.C:
			if s.unread.Load() {
				asked, open = now, false
				continue // whatever came, it was not read
			}
			if open && s.heard.Load() >= asked.UnixNano() {
				open = false
			}
			switch {
			case open && now.Sub(asked) >= o.ResponseWithin:
				s.end(errSilent, nil)
				return
			case !open && now.Sub(asked) >= o.EnquireEvery:
				asked, open = now, true
				s.request(pdu.EnquireLink)
			}
			s.expire(now.Add(-o.ResponseWithin))
		}
	}
}

// mostDoubtful is how many parts that were given up a session knows: a message
// centre that leaves more without an answer never gives any.
const mostDoubtful = 10_000

// expire gives up the parts that were sent before then. Their answers may still
// come.
func (s *session) expire(then time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sequence, p := range s.pending {
		if p.at.Before(then) {
			if len(s.doubtful) >= mostDoubtful {
				clear(s.doubtful)
			}
			s.doubtful[sequence] = p.call.part
			s.finish(sequence, p, answer{err: fmt.Errorf("%w: no answer came", operator.ErrDoubt)})
		}
	}
}
