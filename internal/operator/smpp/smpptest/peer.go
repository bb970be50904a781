package smpptest

import (
	"net"
	"sync"
	"time"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// peer is one connection.
type peer struct {
	server *Server
	conn   net.Conn
	in     *pdu.Reader
	slots  chan struct{}
	wake   chan struct{}
	ended  chan struct{}

	mu       sync.Mutex
	out      []byte
	over     bool
	last     bool // what is in out is the last
	bound    pdu.Command
	sequence uint32
	pending  map[uint32]delivery
}

func newPeer(s *Server, conn net.Conn) *peer {
	return &peer{
		server: s, conn: conn, in: pdu.NewReader(conn), pending: map[uint32]delivery{},
		slots: make(chan struct{}, s.options.Window), wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

func (p *peer) run() {
	var all sync.WaitGroup
	all.Go(p.write)
	for {
		h, body, err := p.in.Next()
		if err != nil {
			break
		}
		before := p.bound
		p.answer(h, body)
		if before == 0 && p.bound != 0 && p.bound != pdu.BindTransmitter {
			all.Go(p.deliver)
		}
	}
	p.end()
	all.Wait()
	for _, d := range p.pending {
		p.server.again(d)
	}
}

// again has a message brought once more, if it is one to be brought until it is
// taken.
func (s *Server) again(d delivery) {
	if d.taken == nil {
		s.put(d)
	}
}

func (p *peer) answer(h pdu.Header, body []byte) {
	reply := pdu.Header{Command: h.Command.Answer(), Sequence: h.Sequence}
	switch h.Command {
	case pdu.BindReceiver, pdu.BindTransmitter, pdu.BindTransceiver:
		p.bind(h, body)
	case pdu.SubmitSM:
		p.submit(h, body)
	case pdu.DeliverSM.Answer():
		p.delivered(h)
	case pdu.EnquireLink:
		p.put(reply.Append)
	case pdu.Unbind:
		p.put(func(b []byte) []byte {
			p.last = true
			return reply.Append(b)
		})
	default:
		if !h.Command.IsAnswer() {
			p.put(pdu.Header{Command: pdu.GenericNack, Status: pdu.InvalidCommand, Sequence: h.Sequence}.Append)
		}
	}
}

func (p *peer) bind(h pdu.Header, body []byte) {
	o := p.server.options
	asked, err := pdu.DecodeBind(body)
	status := pdu.OK
	switch {
	case err != nil:
		status = pdu.BindFailed
	case p.bound != 0:
		status = pdu.AlreadyBound
	case o.SystemID != "" && asked.SystemID != o.SystemID:
		status = pdu.InvalidSystemID
	case o.Password != "" && asked.Password != o.Password:
		status = pdu.InvalidPassword
	default:
		p.bound = h.Command
		p.server.mu.Lock()
		p.server.bound++
		p.server.mu.Unlock()
	}
	p.put(func(b []byte) []byte {
		p.last = status != pdu.OK
		b, _ = pdu.AppendAnswer(b, pdu.Header{Command: h.Command.Answer(), Status: status, Sequence: h.Sequence}, "smpptest")
		return b
	})
}

func (p *peer) submit(h pdu.Header, body []byte) {
	m, err := pdu.DecodeMessage(h.Command, body)
	reply := pdu.Header{Command: h.Command.Answer(), Sequence: h.Sequence}
	switch {
	case err != nil:
		reply.Status = pdu.InvalidCommandLen
	case p.bound == 0 || p.bound == pdu.BindReceiver:
		reply.Status = pdu.InvalidBindStatus
	}
	if reply.Status != pdu.OK {
		p.put(reply.Append)
		return
	}
	a, part := p.server.take(m)
	reply.Status = a.Status
	if !a.Silent {
		p.put(func(b []byte) []byte {
			p.last = p.last || a.Drop
			if a.Status != pdu.OK {
				return reply.Append(b)
			}
			b, _ = pdu.AppendAnswer(b, reply, part.ID)
			return b
		})
	} else if a.Drop {
		p.end()
	}
	if a.Status == pdu.OK && p.server.options.Receipts != nil {
		p.server.Bring(p.server.options.Receipts(part, part.ID)...)
	}
}

// deliver brings what is in the outbox.
func (p *peer) deliver() {
	for {
		select {
		case p.slots <- struct{}{}:
		case <-p.ended:
			return
		}
		d, ok := p.server.next(p.ended)
		if !ok {
			return
		}
		p.bring(d)
	}
}

func (p *peer) bring(d delivery) {
	p.mu.Lock()
	p.sequence = p.sequence%pdu.LastSequence + 1
	h := pdu.Header{Command: pdu.DeliverSM, Sequence: p.sequence}
	p.pending[h.Sequence] = d
	p.mu.Unlock()
	p.put(func(b []byte) []byte {
		b, err := d.message.Append(b, h)
		if err != nil {
			panic(err) // the test's message cannot be written
		}
		return b
	})
}

// recess is how long a message rests that was not taken.
const recess = 20 * time.Millisecond

func (p *peer) delivered(h pdu.Header) {
	p.mu.Lock()
	d, known := p.pending[h.Sequence]
	delete(p.pending, h.Sequence)
	p.mu.Unlock()
	if !known {
		return
	}
	<-p.slots
	if h.Status == pdu.OK {
		p.server.mu.Lock()
		p.server.brought++
		p.server.mu.Unlock()
	}
	switch {
	case d.taken != nil:
		d.taken(h.Status)
	case h.Status != pdu.OK:
		time.AfterFunc(recess, func() { p.server.put(d) })
	}
}

// put has the writer write what f appends.
func (p *peer) put(f func([]byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.last {
		return
	}
	p.out = f(p.out)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *peer) write() {
	var spare []byte
	for {
		select {
		case <-p.wake:
		case <-p.ended:
			return
		}
		p.mu.Lock()
		batch, last := p.out, p.last
		p.out = spare[:0]
		p.mu.Unlock()
		if _, err := p.conn.Write(batch); err != nil || last {
			p.end()
			return
		}
		spare = batch
	}
}

func (p *peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.over = true
		close(p.ended)
		_ = p.conn.Close()
	}
}
