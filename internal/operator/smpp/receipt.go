package smpp

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/sms"
)

// readReceipt reads a receipt: what says so by its class, or names the part
// that it is about. Text alone makes none, since any phone can write that. The
// parameters go before the text, which is not bound to any form.
func readReceipt(m *pdu.Message, zone *time.Location, now time.Time) (operator.Receipt, bool) {
	named, isNamed := m.Options.Get(pdu.ReceiptedID)
	kind := m.Class & pdu.ClassKind
	if !isNamed && kind != pdu.ClassReceipt && kind != pdu.ClassIntermediate {
		return operator.Receipt{}, false
	}
	text := readText(content(m))
	r := operator.Receipt{ID: text.id, To: m.From.Digits, State: text.state, Error: text.err, At: text.at(zone, now)}
	if id, _, _ := bytes.Cut(named, []byte{0}); len(id) > 0 {
		r.ID = string(id)
	}
	if state, ok := m.Options.Number(pdu.MessageState); ok {
		r.State = stateOf(state)
	}
	if code, ok := m.Options.Get(pdu.NetworkError); ok && len(code) == 3 && r.Error == "" {
		r.Error = strconv.Itoa(int(code[1])<<8 | int(code[2]))
	}
	return r, true
}

// content is the text of a receipt, without a header that some carry.
func content(m *pdu.Message) string {
	text := m.Content()
	if m.Class&pdu.ClassHeader != 0 {
		_, text = pdu.SplitHeader(text)
	}
	if m.Coding == byte(sms.UCS2) {
		text = bytes.ReplaceAll(text, []byte{0}, nil) // what counts in it is ASCII
	}
	return string(text)
}

// receiptText is what appendix B of the specification shows in an example, and
// everyone writes in his own way.
type receiptText struct {
	id, done, err string
	state         sms.State
}

// names are the fields, the longer before those that they end with. The value
// of the last one may hold anything.
var names = [...]string{"submit date", "done date", "submit_date", "done_date", "submitdate", "donedate", "dlvrd", "status", "error", "text", "stat", "sub", "err", "id"}

// readText takes the fields wherever they are. Where one is there twice the
// first counts, and nothing after the text of the message does.
func readText(s string) receiptText {
	r := receiptText{state: sms.Unknown}
	if len(s) > mostReceipt {
		s = s[:mostReceipt]
	}
	seen := make([]string, 0, len(names))
	for at := 0; at < len(s); {
		name, value := "", 0
		if at == 0 || !isLetter(s[at-1]) {
			name, value = field(s[at:])
		}
		if name == "" {
			at++
			continue
		}
		at += value
		end := endOf(s, at)
		if !slices.Contains(seen, name) {
			seen = append(seen, name)
			r.set(name, strings.TrimSpace(s[at:end]))
		}
		if name == "text" {
			break
		}
		at = end
	}
	return r
}

// mostReceipt is how much of a text is looked at; the example has 120 octets.
const mostReceipt = 1024

// field gives the name at the start of s and where its value begins.
func field(s string) (name string, value int) {
	for _, n := range names {
		if len(s) < len(n) || s[0]|0x20 != n[0] || !strings.EqualFold(s[:len(n)], n) {
			continue
		}
		for i := len(n); i < len(s) && (s[i] == ' ' || s[i] == ':'); i++ {
			if s[i] == ':' {
				return n, i + 1
			}
		}
	}
	return "", 0
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// endOf is where a value ends: before a blank and the next name.
func endOf(s string, at int) int {
	for i := at; i < len(s); i++ {
		if s[i] != ' ' && s[i] != '\n' && s[i] != '\r' && s[i] != '\t' && s[i] != ',' && s[i] != ';' {
			continue
		}
		if name, _ := field(s[i+1:]); name != "" {
			return i
		}
	}
	return len(s)
}

func (r *receiptText) set(name, value string) {
	switch name {
	case "id":
		r.id = value
	case "done date", "done_date", "donedate":
		r.done = value
	case "err", "error":
		r.err = value
	case "stat", "status":
		r.state = stateNamed(value)
	}
}

// at is the done date, where that is a time that has been.
func (r *receiptText) at(zone *time.Location, now time.Time) time.Time {
	for _, layout := range []string{"0601021504", "060102150405", "20060102150405"} {
		if t, err := time.ParseInLocation(layout, r.done, zone); err == nil && t.Before(now) {
			return t
		}
	}
	return now
}

// stateNamed reads the seven letters, or what is written in their place.
func stateNamed(word string) sms.State {
	word = strings.ToUpper(word)
	for _, s := range []struct {
		begin string
		state sms.State
	}{
		{"DELIV", sms.Delivered}, {"DELETE", sms.Undelivered}, {"UNDELIV", sms.Undelivered}, {"SKIP", sms.Undelivered},
		{"EXPIR", sms.Expired}, {"REJECT", sms.Rejected}, {"ACCEP", sms.Submitted}, {"ENROUTE", sms.Submitted},
		{"SCHED", sms.Submitted}, {"BUFF", sms.Submitted},
	} {
		if strings.HasPrefix(word, s.begin) {
			return s.state
		}
	}
	return sms.Unknown
}

// stateOf reads message_state: 5.2.28, and 0 and 9 of version 5.
func stateOf(n uint32) sms.State {
	switch n {
	case 0, 1, 6:
		return sms.Submitted
	case 2:
		return sms.Delivered
	case 3:
		return sms.Expired
	case 4, 5, 9:
		return sms.Undelivered
	case 8:
		return sms.Rejected
	}
	return sms.Unknown
}
