package smpp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/sms"
)

// call is a part on its way.
type call struct {
	part   *operator.Part
	answer chan answer // holds the one that there will be
}

type answer struct {
	id  string
	err error
}

// send takes parts from the queue, as fast as the window and the pace allow.
func (s *session) send() {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-s.ended:
			return
		}
		if !s.rest(s.link.pace.left) {
			return
		}
		select {
		case c := <-s.link.operator.queue:
			// A pause may have begun while there was nothing to send.
			if !s.rest(s.link.pace.take) {
				c.answer <- answer{err: fmt.Errorf("%w: %w", operator.ErrUnsent, s.why())}
				return
			}
			s.submit(c)
		case <-s.ended:
			return
		}
	}
}

// rest waits until there is nothing more to wait for; it gives false when the
// session is over.
func (s *session) rest(left func() time.Duration) bool {
	for d := left(); d > 0; d = left() {
		select {
		case <-time.After(d):
		case <-s.ended:
			return false
		}
	}
	return true
}

func (s *session) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// submit hands a part to the writer. A part that cannot be written is refused
// as a message centre would.
func (s *session) submit(c *call) {
	now := time.Now()
	m, err := s.link.operator.settings.message(c.part, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	h := pdu.Header{Command: pdu.SubmitSM, Sequence: s.next()}
	if err == nil && s.unbound {
		err = fmt.Errorf("%w: %w", operator.ErrUnsent, errClosed)
	}
	if err == nil {
		err = s.put(func(b []byte) ([]byte, error) { return m.Append(b, h) })
	}
	if err != nil {
		<-s.slots
		c.answer <- answer{err: misfit(err)}
		return
	}
	s.pending[h.Sequence] = pending{command: h.Command, call: c, end: s.queued, at: now}
}

// misfit words what cannot be written as the refusal that it would get.
func misfit(err error) error {
	var field *pdu.FieldError
	switch {
	case !errors.As(err, &field):
		return err
	case field.Field == "source_addr":
		return &operator.Rejected{Status: uint32(pdu.InvalidSource)}
	case field.Field == "destination_addr":
		return &operator.Rejected{Status: uint32(pdu.InvalidDest)}
	}
	return &operator.Rejected{Status: uint32(pdu.InvalidLength)}
}

// answered takes the answer to a part. Answers to what nobody asked have no
// effect.
func (s *session) answered(h pdu.Header, body []byte) {
	id, err := pdu.DecodeAnswer(body)
	s.mu.Lock()
	p, known := s.pending[h.Sequence]
	known = known && (h.Command == p.command.Answer() || h.Command == pdu.GenericNack)
	if known {
		delete(s.pending, h.Sequence)
	}
	s.mu.Unlock()
	if !known {
		s.belated(h, id, err)
		return
	}
	pace := s.link.pace
	switch {
	case h.Status == pdu.Throttled || h.Status == pdu.QueueFull:
		if pause := pace.refused(p.at); pause > patience {
			s.link.operator.log.Note("smpp: throttled", "operator", s.link.operator.settings.Name, "pause", pause.String())
		}
		err = operator.ErrThrottled
	case h.Status != pdu.OK || h.Command == pdu.GenericNack:
		err = &operator.Rejected{Status: uint32(h.Status), Temporary: temporary(h.Status)}
	case err != nil:
		err = fmt.Errorf("%w: %w", operator.ErrDoubt, err) // taken, but its receipts will find nothing
	default:
		pace.accepted()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(h.Sequence, p, answer{id: id, err: err})
}

// belated takes the answer to a part that was given up: receipts will name its
// id, and whether it was taken is not in doubt any more.
func (s *session) belated(h pdu.Header, id string, err error) {
	s.mu.Lock()
	part, known := s.doubtful[h.Sequence]
	delete(s.doubtful, h.Sequence)
	s.mu.Unlock()
	refused := h.Status != pdu.OK || h.Command == pdu.GenericNack
	if !known || !refused && err != nil || !s.place() {
		return
	}
	o := s.link.operator
	o.running.Go(func() {
		defer func() { <-s.sinks }()
		o.late(part, id, refused)
	})
}

// late tells the sink of an answer that nobody waits for.
func (o *Operator) late(p *operator.Part, id string, refused bool) {
	ctx, cancel := context.WithTimeout(o.base, sinkTime)
	defer cancel()
	if err := o.sink.Late(ctx, operator.Late{
		Operator: o.settings.Name, Message: p.Message, Number: p.Number, Total: p.Total, Refused: refused, ID: id, At: time.Now(),
	}); err != nil {
		o.log.Fail("smpp: a late answer of "+o.settings.Name+" is lost", err)
	}
}

// finish gives a part its answer and frees its place. The caller holds the
// lock.
func (s *session) finish(sequence uint32, p pending, a answer) {
	delete(s.pending, sequence)
	p.call.answer <- a
	<-s.slots
	if len(s.pending) == 0 {
		s.left()
	}
}

// temporary tells whether the same part may be taken later. What the
// specification names as a fault of the message, the part will always have;
// what it does not name, and what message centres add, may be anything, and is
// tried again while the message is worth it.
func temporary(status pdu.Status) bool {
	switch {
	case status == pdu.InvalidBindStatus, status == pdu.AlreadyBound, status == pdu.SystemError, status == pdu.SubmitFailed,
		status == pdu.Later, status == pdu.DeliveryFailed, status == pdu.UnknownError:
		return true
	case status >= 0x01 && status <= 0x67, status >= 0xc0 && status <= 0xc4:
		return false
	}
	return true
}

// message is the part as this message centre wants it.
func (s *Settings) message(p *operator.Part, now time.Time) (pdu.Message, error) {
	m := pdu.Message{
		Service: s.Service, From: s.source(p.From), To: s.destination(p), Coding: byte(p.Coding),
		Validity: s.validity(p.Expires, now), Registered: s.registered(),
	}
	if p.Urgent {
		m.Priority = 1
	}
	text := p.Data
	if p.Coding == sms.GSM7 && s.Alphabet == latin1 {
		var err error
		if text, err = toLatin1(text); err != nil {
			return m, err
		}
	}
	s.lay(&m, p, text)
	return m, nil
}

// mostShort is how much short_message takes.
const mostShort = 254

// lay puts the text and what tells which part it is where they belong.
func (s *Settings) lay(m *pdu.Message, p *operator.Part, text []byte) {
	if p.Total > 1 {
		c := pdu.Concat{Reference: p.Reference, Number: byte(p.Number), Total: byte(p.Total)}
		if s.Long == sar {
			m.Options = c.AddSar(nil)
		} else {
			m.Class = pdu.ClassHeader
			text = append(c.AppendHeader(make([]byte, 0, 6+len(text))), text...)
		}
	}
	if len(text) > mostShort || s.Long == payload && p.Total > 1 {
		m.Options = m.Options.Add(pdu.MessagePayload, text...)
	} else {
		m.Text = text
	}
}

// source is the line: a number, or where it has a letter, a name.
func (s *Settings) source(line string) pdu.Address {
	if len(line) > 0 && line[0] == '+' {
		line = line[1:]
	}
	for _, c := range []byte(line) {
		if c < '0' || c > '9' {
			return pdu.Address{TON: 5, NPI: 0, Digits: line}
		}
	}
	return pdu.Address{TON: *s.SourceTON, NPI: *s.SourceNPI, Digits: line}
}

func (s *Settings) destination(p *operator.Part) pdu.Address {
	digits := p.To.Local()
	if s.Destination == international {
		digits = p.To.International()
		if digits != "" {
			digits = digits[1:] // SMPP has no plus: the TON tells
		}
	}
	return pdu.Address{TON: *s.DestinationTON, NPI: *s.DestinationNPI, Digits: digits}
}

func (s *Settings) registered() byte {
	switch s.Receipts {
	case never:
		return 0
	case failure:
		return 2
	}
	return 1
}

// longest is the validity beyond which none is said in days of the relative
// form, whose months have no fixed length.
const longest = 30 * 24 * time.Hour

// validity is the time as 7.1.1 of the specification writes it; nothing for the
// message centre's own.
func (s *Settings) validity(expires, now time.Time) string {
	switch {
	case expires.IsZero() || s.Validity == none:
		return ""
	case s.Validity == absolute:
		return string(append(expires.UTC().AppendFormat(make([]byte, 0, 16), "060102150405"), "000+"...))
	}
	left := int64(min(max(expires.Sub(now), time.Second), longest) / time.Second)
	number := left/86400*1_000_000 + left/3600%24*10_000 + left/60%60*100 + left%60
	digits := strconv.FormatInt(100_000_000+number, 10)[1:] // DDhhmmss
	return "0000" + digits + "000R"
}
