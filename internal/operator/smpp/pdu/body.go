package pdu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Version34 is the interface_version of SMPP 3.4.
const Version34 = 0x34

// The largest sizes of strings, the NUL at their end included.
const (
	maxSystemID   = 16
	maxPassword   = 9
	maxSystemType = 13
	maxRange      = 41
	maxService    = 6
	maxAddress    = 21
	maxTime       = 17
	maxID         = 65
	// maxText is that of short_message, which has no NUL.
	maxText = 254
)

// Address is a number or a name, and what it is.
type Address struct {
	TON, NPI byte
	Digits   string
}

// Bind is the body of the three requests to bind.
type Bind struct {
	SystemID, Password, SystemType string
	Version                        byte
	Range                          Address
}

// Append writes the PDU, or fails where a text is too long or holds a NUL.
func (bind *Bind) Append(b []byte, h Header) ([]byte, error) {
	w := writer{b: h.begin(b)}
	w.text("system_id", bind.SystemID, maxSystemID)
	w.text("password", bind.Password, maxPassword)
	w.text("system_type", bind.SystemType, maxSystemType)
	w.b = append(w.b, bind.Version, bind.Range.TON, bind.Range.NPI)
	w.text("address_range", bind.Range.Digits, maxRange)
	return w.finish(b)
}

// DecodeBind reads a body.
func DecodeBind(body []byte) (Bind, error) {
	r := reader{b: body}
	bind := Bind{SystemID: r.text(maxSystemID), Password: r.text(maxPassword), SystemType: r.text(maxSystemType)}
	bind.Version = r.octet()
	bind.Range = Address{TON: r.octet(), NPI: r.octet(), Digits: r.text(maxRange)}
	r.options()
	return bind, r.err
}

// The esm_class of a message: whether a header is before the text, and what
// kind of message it is, where a message centre sends it.
const (
	ClassHeader       = 0x40
	ClassKind         = 0x3c
	ClassReceipt      = 0x04
	ClassIntermediate = 0x20
)

// Message is the body of submit_sm and deliver_sm, and with fewer fields that
// of data_sm.
type Message struct {
	Service    string
	From, To   Address
	Class      byte // esm_class
	Protocol   byte
	Priority   byte
	Scheduled  string
	Validity   string
	Registered byte
	Replace    byte
	Coding     byte
	Canned     byte   // sm_default_msg_id
	Text       []byte // short_message: at most 254 octets
	Options    Options
}

// Append writes the PDU, in data_sm's form where the header says so, or fails
// where a text is too long or holds a NUL.
func (m *Message) Append(b []byte, h Header) ([]byte, error) {
	w := writer{b: h.begin(b)}
	w.text("service_type", m.Service, maxService)
	w.address("source_addr", m.From)
	w.address("destination_addr", m.To)
	if h.Command == DataSM {
		w.b = append(w.b, m.Class, m.Registered, m.Coding)
	} else {
		w.b = append(w.b, m.Class, m.Protocol, m.Priority)
		w.text("schedule_delivery_time", m.Scheduled, maxTime)
		w.text("validity_period", m.Validity, maxTime)
		w.b = append(w.b, m.Registered, m.Replace, m.Coding, m.Canned, byte(len(m.Text)))
		w.b = append(w.b, m.Text...)
		if len(m.Text) > maxText {
			w.fail("short_message")
		}
	}
	w.b = append(w.b, m.Options...)
	return w.finish(b)
}

// DecodeMessage reads the body of the command; Text and Options share its
// memory.
func DecodeMessage(c Command, body []byte) (Message, error) {
	r := reader{b: body}
	m := Message{Service: r.text(maxService), From: r.address(), To: r.address(), Class: r.octet()}
	if c == DataSM {
		m.Registered, m.Coding = r.octet(), r.octet()
	} else {
		m.Protocol, m.Priority = r.octet(), r.octet()
		m.Scheduled, m.Validity = r.text(maxTime), r.text(maxTime)
		m.Registered, m.Replace, m.Coding, m.Canned = r.octet(), r.octet(), r.octet(), r.octet()
		m.Text = r.octets(int(r.octet()))
	}
	m.Options = r.options()
	return m, r.err
}

// Content is the short message, or the message_payload where there is none.
func (m *Message) Content() []byte {
	if len(m.Text) == 0 {
		payload, _ := m.Options.Get(MessagePayload)
		return payload
	}
	return m.Text
}

// AppendAnswer writes an answer whose body is one text: a message's id, or the
// system_id of a message centre.
func AppendAnswer(b []byte, h Header, text string) ([]byte, error) {
	w := writer{b: h.begin(b)}
	w.text("message_id", text, maxID)
	return w.finish(b)
}

// DecodeAnswer reads such a body. One that ends before the NUL is taken as it
// is: message centres leave it out, or the whole body, where the status says
// no.
func DecodeAnswer(body []byte) (string, error) {
	text, _, _ := bytes.Cut(body, []byte{0})
	if len(text) >= maxID {
		return "", fmt.Errorf("%w: message_id of %d octets", ErrBody, len(text))
	}
	return string(text), nil
}

// writer appends a body and remembers what did not fit.
type writer struct {
	b     []byte
	wrong string
}

func (w *writer) fail(field string) {
	if w.wrong == "" {
		w.wrong = field
	}
}

func (w *writer) text(field, text string, size int) {
	if len(text) >= size || strings.IndexByte(text, 0) >= 0 {
		w.fail(field)
		return
	}
	w.b = append(append(w.b, text...), 0)
}

func (w *writer) address(field string, a Address) {
	w.b = append(w.b, a.TON, a.NPI)
	w.text(field, a.Digits, maxAddress)
}

// finish gives what was there before where something did not fit.
func (w *writer) finish(before []byte) ([]byte, error) {
	at := len(before)
	switch {
	case w.wrong != "":
		return before, &FieldError{w.wrong}
	case len(w.b)-at > MaxSize:
		return before, &FieldError{"message_payload"}
	}
	return finish(w.b, at), nil
}

// FieldError is a field that cannot be written as it is.
type FieldError struct{ Field string }

func (e *FieldError) Error() string { return e.Field + " is too long or holds a NUL" }

// reader takes a body apart. After the first error everything is empty.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrBody, what)
	}
	r.b = nil
}

func (r *reader) octet() byte {
	if len(r.b) == 0 {
		r.fail("it ends too soon")
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) octets(n int) []byte {
	if n > len(r.b) {
		r.fail("it ends within the message")
		return nil
	}
	taken := r.b[:n:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) text(size int) string {
	end := bytes.IndexByte(r.b[:min(len(r.b), size)], 0)
	if end < 0 {
		r.fail("a text does not end where it must")
		return ""
	}
	text := string(r.b[:end])
	r.b = r.b[end+1:]
	return text
}

func (r *reader) address() Address {
	return Address{TON: r.octet(), NPI: r.octet(), Digits: r.text(maxAddress)}
}

// options are the rest of the body, once they are known to be whole.
func (r *reader) options() Options {
	all := Options(r.b)
	for rest := r.b; len(rest) > 0; {
		if len(rest) < 4 {
			r.fail("it ends within an optional parameter")
			return nil
		}
		size := 4 + int(binary.BigEndian.Uint16(rest[2:]))
		if size > len(rest) {
			r.fail("an optional parameter is longer than the body")
			return nil
		}
		rest = rest[size:]
	}
	return all
}
