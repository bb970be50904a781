package smpp

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/sms"
)

// read takes what comes until the stream ends or makes no sense.
func (s *session) read() {
	for {
		h, body, err := s.in.Next()
		if err != nil {
			s.end(err, nack(err))
			return
		}
		s.heard.Store(time.Now().UnixNano())
		s.worked.Store(true)
		if !s.take(h, body) {
			return
		}
	}
}

// nack tells the peer that its frames cannot be read; nothing where that is not
// so.
func nack(err error) []byte {
	var length *pdu.LengthError
	if !errors.As(err, &length) {
		return nil
	}
	return pdu.Header{Command: pdu.GenericNack, Status: pdu.InvalidCommandLen, Sequence: length.Sequence}.Append(nil)
}

// take does what a PDU asks for; it gives false where that is the end.
func (s *session) take(h pdu.Header, body []byte) bool {
	switch h.Command {
	case pdu.SubmitSM.Answer(), pdu.GenericNack:
		s.answered(h, body)
	case pdu.Unbind.Answer():
		s.end(errClosed, nil)
		return false
	case pdu.EnquireLink:
		s.reply(h, pdu.OK)
	case pdu.DeliverSM, pdu.DataSM:
		s.deliver(h, body)
	case pdu.Unbind:
		s.end(errUnbound, pdu.Header{Command: pdu.Unbind.Answer(), Sequence: h.Sequence}.Append(nil))
		return false
	case pdu.Outbind, pdu.AlertNotification: // neither has an answer
	default:
		if !h.Command.IsAnswer() {
			s.reply(pdu.Header{Command: pdu.GenericNack, Sequence: h.Sequence}, pdu.InvalidCommand)
		}
	}
	return true
}

// deliver hands what a phone sent, or a receipt, to the sink, and answers when
// the sink has it. A body that makes no sense is refused for good, and the
// session goes on: the message centre would bring it again after each new bind,
// and one phone could keep all others from being heard.
func (s *session) deliver(h pdu.Header, body []byte) {
	m, err := pdu.DecodeMessage(h.Command, body)
	if err != nil {
		s.link.operator.log.Fail("smpp: refused a message of "+s.link.operator.settings.Name, err)
		s.reply(h, pdu.Never)
		return
	}
	m.Text, m.Options = slices.Clone(m.Text), slices.Clone(m.Options) // the next PDU overwrites them
	if !s.place() {
		s.reply(h, pdu.Later)
		return
	}
	o := s.link.operator
	o.running.Go(func() {
		defer func() { <-s.sinks }()
		ctx, cancel := context.WithTimeout(o.base, sinkTime)
		defer cancel()
		status := pdu.OK
		if err := o.hand(ctx, &m, s.name.Load().(string), time.Now()); err != nil {
			o.log.Fail("smpp: "+o.settings.Name+" is to bring a message again", err)
			status = pdu.Later
			s.name.Store(rand.Text()) // it may be stored all the same
		}
		s.reply(h, status)
	})
}

// place waits for a place with the sink; there is none once the session is over
// or to be left.
func (s *session) place() bool {
	select {
	case <-s.closes:
		return false
	default:
	}
	select {
	case s.sinks <- struct{}{}:
		return true
	default:
	}
	s.unread.Store(true)
	defer func() {
		s.heard.Store(time.Now().UnixNano())
		s.unread.Store(false)
	}()
	select {
	case s.sinks <- struct{}{}:
		return true
	case <-s.closes:
		return false
	case <-s.ended:
		return false
	}
}

// hand gives the sink what the message is.
func (o *Operator) hand(ctx context.Context, m *pdu.Message, bind string, now time.Time) error {
	if receipt, ok := readReceipt(m, o.zone, now); ok {
		receipt.Operator = o.settings.Name
		return o.sink.Receipt(ctx, receipt)
	}
	arrival := readArrival(m, now)
	arrival.Operator, arrival.Bind = o.settings.Name, bind
	if arrival.Coding == sms.GSM7 && o.settings.Alphabet == latin1 {
		arrival.Coding = codingLatin1
	}
	return o.sink.Arrival(ctx, arrival)
}

// codingLatin1 is SMPP's number of Latin-1.
const codingLatin1 sms.Coding = 3

// readArrival takes a message of a phone apart.
func readArrival(m *pdu.Message, now time.Time) operator.Arrival {
	data := m.Content()
	part := pdu.Sar(m.Options)
	if m.Class&pdu.ClassHeader != 0 {
		var inHeader pdu.Concat
		if inHeader, data = pdu.SplitHeader(data); inHeader.Total > 0 {
			part = inHeader
		}
	}
	if part.Total == 0 {
		part = pdu.Concat{Number: 1, Total: 1}
	}
	a := operator.Arrival{
		From: m.From.Digits, To: m.To.Digits, Coding: coding(m.Coding), Data: data,
		Reference: part.Reference, Number: int(part.Number), Total: int(part.Total), At: now,
	}
	if serial, _ := m.Options.Number(pdu.UserReference); serial != 0 { // some send 0 for none
		a.Serial = strconv.FormatUint(uint64(serial), 10)
	}
	return a
}

// coding reads the alphabet out of the two groups of GSM's own numbers (3GPP TS
// 23.038, 4) that some message centres pass on as they are; all others are
// SMPP's.
func coding(dcs byte) sms.Coding {
	const octets sms.Coding = 4
	switch {
	case dcs&0xf0 == 0xf0 && dcs&4 != 0:
		return octets
	case dcs&0xf0 == 0xf0:
		return sms.GSM7
	case dcs&0xf0 == 0x10:
		return [...]sms.Coding{sms.GSM7, octets, sms.UCS2, sms.GSM7}[dcs>>2&3]
	}
	return sms.Coding(dcs)
}
