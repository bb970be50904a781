package smpp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/sms"
)

var (
	tehran = time.FixedZone("", 3*3600+1800)
	now    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// The texts are in the forms that message centres are known to write; the
// first is the example of appendix B.
func TestReceiptText(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 10, 15, 0, 0, tehran)
	for _, c := range []struct {
		name, text string
		want       operator.Receipt
	}{
		{
			"appendix B", "id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221015 stat:DELIVRD err:000 Text:stat:UNDELIV",
			operator.Receipt{ID: "0123456789", State: sms.Delivered, Error: "000", At: at},
		},
		{
			"other case, seconds, letters in err", "ID:aF-01 SUB:001 DLVRD:000 SUBMIT DATE:261122100000 DONE DATE:261122101500 STAT:undeliv ERR:0x5E TEXT:",
			operator.Receipt{ID: "aF-01", State: sms.Undelivered, Error: "0x5E", At: at},
		},
		{"other order, fields missing", "stat:EXPIRED done date:2611221015 id:7", operator.Receipt{ID: "7", State: sms.Expired, At: at}},
		{"blanks after colons", "id: 7 sub: 001 stat: REJECTD err: A1 text: x", operator.Receipt{ID: "7", State: sms.Rejected, Error: "A1", At: now}},
		{"underscores, commas", "id:7,done_date:2611221015,stat:ACCEPTD,err:0", operator.Receipt{ID: "7", State: sms.Submitted, Error: "0", At: at}},
		{"lines", "id:7\r\nstat:DELETED\r\nerr:\r\n", operator.Receipt{ID: "7", State: sms.Undelivered, At: now}},
		{"words in full", "id:7 status:DELIVERED error:12", operator.Receipt{ID: "7", State: sms.Delivered, Error: "12", At: now}},
		{"a name within a word", "guid:9 id:7 stat:ENROUTE", operator.Receipt{ID: "7", State: sms.Submitted, At: now}},
		{"a blank id", "id: stat:DELIVRD", operator.Receipt{State: sms.Delivered, At: now}},
		{"an unknown state", "id:7 stat:WHATEVR", operator.Receipt{ID: "7", State: sms.Unknown, At: now}},
		{"twice", "id:7 id:8 stat:DELIVRD stat:UNDELIV", operator.Receipt{ID: "7", State: sms.Delivered, At: now}},
		{"a date that is to come", "id:7 stat:DELIVRD done date:2712010000", operator.Receipt{ID: "7", State: sms.Delivered, At: now}},
		{"no date", "id:7 stat:DELIVRD done date:yesterday", operator.Receipt{ID: "7", State: sms.Delivered, At: now}},
		{"nothing", "", operator.Receipt{State: sms.Unknown, At: now}},
	} {
		c.want.To = "989120000000"
		m := pdu.Message{From: pdu.Address{Digits: "989120000000"}, Class: pdu.ClassReceipt, Text: []byte(c.text)}
		for what, m := range map[string]pdu.Message{
			"short_message":   m,
			"message_payload": {From: m.From, Class: m.Class, Options: pdu.Options(nil).Add(pdu.MessagePayload, m.Text...)},
		} {
			got, ok := smpp.ReadReceipt(&m, tehran, now)
			if diff := cmp.Diff(c.want, got, cmp.Comparer(time.Time.Equal)); !ok || diff != "" {
				t.Errorf("%s in %s: %v %s", c.name, what, ok, diff)
			}
		}
	}
}

func TestReceiptParameters(t *testing.T) {
	t.Parallel()
	text := []byte("id:1 stat:UNDELIV")
	id := pdu.Options(nil).Add(pdu.ReceiptedID, 'A', '7', 0)
	for _, c := range []struct {
		name  string
		m     pdu.Message
		id    string
		state sms.State
		err   string
		is    bool
	}{
		{"before the text", pdu.Message{Class: 4, Text: text, Options: id.Add(pdu.MessageState, 2)}, "A7", sms.Delivered, "", true},
		{"without the class", pdu.Message{Options: id.Add(pdu.MessageState, 8)}, "A7", sms.Rejected, "", true},
		{"an id without its NUL", pdu.Message{Class: 4, Options: pdu.Options(nil).Add(pdu.ReceiptedID, 'A')}, "A", sms.Unknown, "", true},
		{"an id alone: the text has the state", pdu.Message{Class: 4, Text: text, Options: id}, "A7", sms.Undelivered, "", true},
		{"an empty id", pdu.Message{Class: 4, Text: text, Options: pdu.Options(nil).Add(pdu.ReceiptedID)}, "1", sms.Undelivered, "", true},
		{"a network's error", pdu.Message{Class: 4, Options: id.Add(pdu.NetworkError, 3, 1, 2)}, "A7", sms.Unknown, "258", true},
		{"a state of five octets", pdu.Message{Class: 4, Text: text, Options: id.Add(pdu.MessageState, 0, 0, 0, 0, 2)}, "A7", sms.Undelivered, "", true},
		{"on the way", pdu.Message{Class: 0x20, Text: []byte("id:1 stat:ENROUTE")}, "1", sms.Submitted, "", true},
		{"UCS-2", pdu.Message{Class: 4, Coding: 8, Text: []byte("\x00i\x00d\x00:\x001\x00 \x00s\x00t\x00a\x00t\x00:\x00D\x00E\x00L\x00I\x00V\x00R\x00D")}, "1", sms.Delivered, "", true},
		{"behind a header", pdu.Message{Class: 0x44, Text: append([]byte{5, 0, 3, 1, 1, 1}, text...)}, "1", sms.Undelivered, "", true},
		{"a phone that writes like one", pdu.Message{Text: text}, "", 0, "", false},
		{"a phone's own word of delivery", pdu.Message{Class: 8, Text: text}, "", 0, "", false},
	} {
		got, ok := smpp.ReadReceipt(&c.m, tehran, now)
		if ok != c.is || got.ID != c.id || got.State != c.state || got.Error != c.err {
			t.Errorf("%s: %v %+v", c.name, ok, got)
		}
	}
	states := []sms.State{sms.Submitted, sms.Submitted, sms.Delivered, sms.Expired, sms.Undelivered, sms.Undelivered, sms.Submitted, sms.Unknown, sms.Rejected, sms.Undelivered, sms.Unknown}
	for n, want := range states {
		m := pdu.Message{Options: id.Add(pdu.MessageState, byte(n))}
		if got, _ := smpp.ReadReceipt(&m, tehran, now); got.State != want {
			t.Errorf("message_state %d: %v", n, got.State)
		}
	}
}

func TestArrival(t *testing.T) {
	t.Parallel()
	long := []byte{5, 0, 3, 9, 2, 1, 'a'}
	for _, c := range []struct {
		name string
		m    pdu.Message
		want operator.Arrival
	}{
		{"alone", pdu.Message{Text: []byte("a")}, operator.Arrival{Data: []byte("a"), Number: 1, Total: 1}},
		{"nothing", pdu.Message{}, operator.Arrival{Number: 1, Total: 1}},
		{"a header", pdu.Message{Class: 0x40, Coding: 8, Text: long}, operator.Arrival{Coding: 8, Data: []byte("a"), Reference: 9, Number: 1, Total: 2}},
		{"bytes like a header", pdu.Message{Text: long}, operator.Arrival{Data: long, Number: 1, Total: 1}},
		{
			"parameters", pdu.Message{Text: []byte("a"), Options: pdu.Concat{Reference: 0x109, Number: 2, Total: 2}.AddSar(nil)},
			operator.Arrival{Data: []byte("a"), Reference: 0x109, Number: 2, Total: 2},
		},
		{
			"message_payload", pdu.Message{Class: 0x40, Options: pdu.Options(nil).Add(pdu.MessagePayload, long...)},
			operator.Arrival{Data: []byte("a"), Reference: 9, Number: 1, Total: 2},
		},
		{"Latin-1", pdu.Message{Coding: 3, Text: []byte("a")}, operator.Arrival{Coding: 3, Data: []byte("a"), Number: 1, Total: 1}},
		{"octets", pdu.Message{Coding: 4, Text: []byte("a")}, operator.Arrival{Coding: 4, Data: []byte("a"), Number: 1, Total: 1}},
		{"GSM's class 1, GSM 7-bit", pdu.Message{Coding: 0xf1, Text: []byte("a")}, operator.Arrival{Data: []byte("a"), Number: 1, Total: 1}},
		{"GSM's class 0, octets", pdu.Message{Coding: 0xf4, Text: []byte("a")}, operator.Arrival{Coding: 4, Data: []byte("a"), Number: 1, Total: 1}},
		{"GSM's class 0, UCS-2", pdu.Message{Coding: 0x18, Text: []byte("a")}, operator.Arrival{Coding: 8, Data: []byte("a"), Number: 1, Total: 1}},
	} {
		c.want.At, c.want.From, c.want.To = now, "989120000000", "30001234"
		c.m.From.Digits, c.m.To.Digits = c.want.From, c.want.To
		if diff := cmp.Diff(c.want, smpp.ReadArrival(&c.m, now)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add([]byte("id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221015 stat:DELIVRD err:000 text:x"), byte(4), byte(0), false)
	f.Add([]byte("id"+strings.Repeat(" ", 2000)+":1"), byte(0x44), byte(8), true)
	f.Fuzz(func(t *testing.T, text []byte, class, coding byte, payload bool) {
		m := pdu.Message{Class: class, Coding: coding, Text: text}
		if payload {
			m.Text, m.Options = nil, pdu.Options(nil).Add(pdu.MessagePayload, text...)
		}
		r, _ := smpp.ReadReceipt(&m, tehran, now)
		if r.At.After(now) || len(r.ID) > len(text) {
			t.Errorf("%d octets of an id at %v", len(r.ID), r.At)
		}
		if keys := operator.Keys(r.ID); len(keys) < 1 || len(keys) > 3 {
			t.Errorf("%d keys", len(keys))
		}
		if a := smpp.ReadArrival(&m, now); a.Number < 1 || a.Number > a.Total {
			t.Errorf("part %d of %d", a.Number, a.Total)
		}
	})
}
