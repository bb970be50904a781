package smpp_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// peer is a message centre whose every octet a test writes.
type peer struct {
	conn net.Conn
	in   *pdu.Reader
}

// scripted are settings whose connections come to the test once they are bound.
func scripted(peers chan<- *peer) smpp.Settings {
	return settings("pipe:1").Through(func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		p := &peer{far, pdu.NewReader(far)}
		go func() {
			h := p.next()
			p.write(answerTo(h, "peer"))
			peers <- p
		}()
		return near, nil
	})
}

// next is the next PDU that came; the zero header at the end.
func (p *peer) next() pdu.Header {
	h, _, err := p.in.Next()
	if err != nil {
		return pdu.Header{}
	}
	return h
}

func (p *peer) write(all ...[]byte) {
	for _, b := range all {
		_, _ = p.conn.Write(b) // that the other end left is seen when reading
	}
}

// rest reads to the end, and gives the headers.
func (p *peer) rest() (all []pdu.Header) {
	for {
		h, _, err := p.in.Next()
		if err != nil {
			return all
		}
		all = append(all, h)
	}
}

func answerTo(h pdu.Header, text string) []byte {
	b, err := pdu.AppendAnswer(nil, pdu.Header{Command: h.Command.Answer(), Sequence: h.Sequence}, text)
	if err != nil {
		panic(err)
	}
	return b
}

// closeNow closes an operator whose peer may not answer.
func closeNow(t *testing.T, o *smpp.Operator) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_ = o.Close(ctx)
}

// failures gives a test the lines of the log.
type failures struct{ said chan string }

func (f *failures) log() *event.Log { return event.New(f, slog.LevelDebug) }

func (f *failures) Write(b []byte) (int, error) {
	select {
	case f.said <- string(b):
	default:
	}
	return len(b), nil
}
