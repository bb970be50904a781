package smpp_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// raw is a PDU with whatever is told; length 0 stands for the right one.
func raw(length uint32, c pdu.Command, status pdu.Status, sequence uint32, body ...byte) []byte {
	if length == 0 {
		length = uint32(pdu.HeaderSize + len(body))
	}
	b := binary.BigEndian.AppendUint32(nil, length)
	b = binary.BigEndian.AppendUint32(b, uint32(c))
	b = binary.BigEndian.AppendUint32(b, uint32(status))
	b = binary.BigEndian.AppendUint32(b, sequence)
	return append(b, body...)
}

// TestHostile is SMS-1: whatever the peer sends, at most its own session ends,
// with generic_nack where that is due, and the next one works.
func TestHostile(t *testing.T) {
	t.Parallel()
	storm := pdu.Message{Options: bytes.Repeat([]byte{0x12, 0x34, 0, 0}, 16_000)}
	whole, err := storm.Append(nil, pdu.Header{Command: pdu.DeliverSM, Sequence: 9})
	if err != nil {
		t.Fatal(err)
	}
	queryWithParameter, _ := hex.DecodeString("0000001a000000030000000000000009" + "31000000000424000231") // 26 octets, and a parameter cut short
	nack := func(status pdu.Status, sequence uint32) pdu.Header {
		return pdu.Header{Command: pdu.GenericNack, Status: status, Sequence: sequence}
	}
	refusal := func(c pdu.Command, status pdu.Status) pdu.Header {
		return pdu.Header{Command: c.Answer(), Status: status, Sequence: 9}
	}
	for _, c := range []struct {
		name  string
		bytes []byte
		want  pdu.Header // the zero header for none
		ends  bool
	}{
		{"nothing", nil, pdu.Header{}, false},
		{"length 0", append(make([]byte, 4), raw(0, pdu.EnquireLink, 0, 9)[4:]...), nack(pdu.InvalidCommandLen, 0), true},
		{"length 15", raw(15, pdu.EnquireLink, 0, 9), nack(pdu.InvalidCommandLen, 0), true},
		{"length of 64 KiB and one", raw(65537, pdu.DeliverSM, 0, 9), nack(pdu.InvalidCommandLen, 9), true},
		{"length of 4 GiB", raw(0xffffffff, pdu.DeliverSM, 0, 9), nack(pdu.InvalidCommandLen, 9), true},
		{"length of 2 GiB", raw(0x80000000, pdu.SubmitSM.Answer(), 0, 9), nack(pdu.InvalidCommandLen, 9), true},
		{"an unknown request", raw(0, 0x00001234, 0, 9, 1, 2, 3), nack(pdu.InvalidCommand, 9), false},
		{"query_sm with half a parameter", queryWithParameter, nack(pdu.InvalidCommand, 9), false},
		{"submit_sm the wrong way", raw(0, pdu.SubmitSM, 0, 9), nack(pdu.InvalidCommand, 9), false},
		{"bind the wrong way", raw(0, pdu.BindTransceiver, 0, 9), nack(pdu.InvalidCommand, 9), false},
		{"an unknown answer", raw(0, 0x80001234, 0, 9), pdu.Header{}, false},
		{"an answer to what nobody asked", raw(0, pdu.SubmitSM.Answer(), 0, 0x7ffffff0, '1', 0), pdu.Header{}, false},
		{"an answer with sequence 0", raw(0, pdu.SubmitSM.Answer(), 0, 0, '1', 0), pdu.Header{}, false},
		{"a bind's answer again", raw(0, pdu.BindTransceiver.Answer(), 0, 1, 0), pdu.Header{}, false},
		{"generic_nack of nothing", raw(0, pdu.GenericNack, pdu.InvalidCommand, 0), pdu.Header{}, false},
		{"outbind", raw(0, pdu.Outbind, 0, 9, 'a', 0, 'b', 0), pdu.Header{}, false},
		{"alert_notification", raw(0, pdu.AlertNotification, 0, 9), pdu.Header{}, false},
		{"enquire_link with a body", raw(0, pdu.EnquireLink, 0, 9, 1, 2, 3), refusal(pdu.EnquireLink, 0), false},
		{"deliver_sm without a body", raw(0, pdu.DeliverSM, 0, 9), refusal(pdu.DeliverSM, pdu.Never), false},
		{"deliver_sm of garbage", raw(0, pdu.DeliverSM, 0, 9, bytes.Repeat([]byte{0xff}, 300)...), refusal(pdu.DeliverSM, pdu.Never), false},
		{"data_sm of garbage", raw(0, pdu.DataSM, 0, 9, 0xff), refusal(pdu.DataSM, pdu.Never), false},
		{"16,000 parameters", whole, refusal(pdu.DeliverSM, 0), false},
		{"unbind", raw(0, pdu.Unbind, 0, 9), refusal(pdu.Unbind, 0), true},
		{"unbind's answer", raw(0, pdu.Unbind.Answer(), 0, 9), pdu.Header{}, true},
		{"noise", []byte(strings.Repeat("GET / HTTP/1.1\r\n", 10)), nack(pdu.InvalidCommandLen, 0x2e310d0a), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				peers := make(chan *peer, 10)
				o := open(t, scripted(peers), newInbox())
				p := <-peers
				go p.write(c.bytes)
				if c.want != (pdu.Header{}) {
					if got := p.next(); got != c.want {
						t.Errorf("%+v, want %+v", got, c.want)
					}
				}
				if c.ends {
					if more := p.rest(); len(more) != 0 {
						t.Errorf("it goes on: %+v", more)
					}
					p = <-peers
				}
				answered := make(chan error, 1)
				go func() {
					_, err := o.Submit(t.Context(), part(t, "x"))
					for errors.Is(err, operator.ErrUnsent) {
						await(t, o.Ready)
						_, err = o.Submit(t.Context(), part(t, "x"))
					}
					answered <- err
				}()
				h := p.next()
				p.write(answerTo(h, "1"))
				if err := <-answered; err != nil || h.Command != pdu.SubmitSM {
					t.Errorf("afterwards: command %#x, %v", uint32(h.Command), err)
				}
				closeNow(t, o)
			})
		})
	}
}

// A peer that asks and never reads is left before its answers fill the memory.
func TestStuffed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		peers := make(chan *peer, 10)
		o := open(t, scripted(peers), newInbox())
		p := <-peers
		flood := bytes.Repeat(raw(0, pdu.EnquireLink, 0, 9), 1000)
		for i := 0; ; i++ {
			if _, err := p.conn.Write(flood); err != nil {
				break
			}
			if i > 1000 {
				t.Fatalf("%d octets of answers wait", i*len(flood))
			}
		}
		<-peers
		closeNow(t, o)
	})
}

// Numbers go round after 0x7fffffff, past those that still wait.
func TestSequenceWraps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		peers := make(chan *peer, 10)
		o := open(t, scripted(peers), newInbox())
		p := <-peers
		submit := func() (chan error, pdu.Header) {
			done := make(chan error, 1)
			go func() {
				_, err := o.Submit(t.Context(), part(t, "x"))
				done <- err
			}()
			return done, p.next()
		}
		o.SetSequence(0)
		first, waits := submit()
		o.SetSequence(pdu.LastSequence - 1)
		for _, want := range []uint32{pdu.LastSequence, 2, 3} {
			done, h := submit()
			if h.Sequence != want {
				t.Errorf("%#x, want %#x", h.Sequence, want)
			}
			p.write(raw(0, pdu.SubmitSM.Answer(), 0, h.Sequence, '1', 0))
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		p.write(raw(0, pdu.EnquireLink.Answer(), 0, waits.Sequence)) // of another command: no answer to the part
		p.write(raw(0, pdu.GenericNack, pdu.SystemError, waits.Sequence))
		var rejected *operator.Rejected
		if err := <-first; waits.Sequence != 1 || !errors.As(err, &rejected) || rejected.Status != 8 || !rejected.Temporary {
			t.Errorf("%d: %v", waits.Sequence, err)
		}
		closeNow(t, o)
	})
}

// FuzzSession gives a live session whatever the peer may send, in pieces.
func FuzzSession(f *testing.F) {
	m := pdu.Message{Class: pdu.ClassReceipt, Text: []byte("id:1 stat:DELIVRD")}
	receipt, err := m.Append(nil, pdu.Header{Command: pdu.DeliverSM, Sequence: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(receipt)
	f.Add(raw(0, pdu.SubmitSM.Answer(), 0, 2, '1', 0))
	f.Add(append(raw(0, pdu.Unbind, 0, 1), receipt...))
	f.Add(raw(0xffffffff, pdu.GenericNack, 0, 2))
	f.Fuzz(func(t *testing.T, stream []byte) {
		synctest.Test(t, func(t *testing.T) {
			peers := make(chan *peer, 100)
			o := open(t, scripted(peers), newInbox())
			p := <-peers
			submitted := make(chan struct{})
			go func() {
				_, _ = o.Submit(t.Context(), part(t, "x"))
				close(submitted)
			}()
			p.next()
			go func() {
				p.write(stream)
				_ = p.conn.SetReadDeadline(time.Now().Add(time.Minute))
				p.rest()
				_ = p.conn.Close()
			}()
			<-submitted
			closeNow(t, o)
		})
	})
}
