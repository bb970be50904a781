package smpp

import (
	"context"
	"net"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// Through has the settings connect by dial.
func (s Settings) Through(dial func(context.Context) (net.Conn, error)) Settings {
	s.dial = dial
	return s
}

// Message is the part as these settings write it.
func (s Settings) Message(p operator.Part, now time.Time) (pdu.Message, error) {
	s = s.filled()
	return s.message(&p, now)
}

// SetSequence has the next request follow n.
func (o *Operator) SetSequence(n uint32) {
	for _, l := range o.links {
		s := l.current()
		s.mu.Lock()
		s.sequence = n
		s.mu.Unlock()
	}
}

// What is tested by itself.
var (
	ReadReceipt = readReceipt
	ReadArrival = readArrival
	ToLatin1    = toLatin1
	Temporary   = temporary
)

// Incoming is how many PDUs the sink may have at once.
const Incoming = incoming
