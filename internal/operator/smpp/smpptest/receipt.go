package smpptest

import (
	"fmt"
	"time"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// Receipt is what is said of a part, in the words of the specification's
// appendix B. State is one of its seven letters.
func Receipt(p Part, id, state string) pdu.Message {
	const clock = "0601021504"
	text := fmt.Sprintf("id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:%s err:000 text:",
		id, p.At.UTC().Format(clock), time.Now().UTC().Format(clock), state)
	return pdu.Message{From: p.To, To: p.From, Class: pdu.ClassReceipt, Text: []byte(text)}
}

// TaggedReceipt says the same in optional parameters alone; state is a
// message_state.
func TaggedReceipt(p Part, id string, state byte) pdu.Message {
	var o pdu.Options
	o = o.Add(pdu.ReceiptedID, append([]byte(id), 0)...).Add(pdu.MessageState, state)
	return pdu.Message{From: p.To, To: p.From, Class: pdu.ClassReceipt, Options: o}
}

// Incoming is a message of a phone in one part, with text as it is on the wire.
func Incoming(from, to string, coding byte, text []byte) pdu.Message {
	return pdu.Message{
		From: pdu.Address{TON: 1, NPI: 1, Digits: from}, To: pdu.Address{TON: 0, NPI: 1, Digits: to}, Coding: coding, Text: text,
	}
}
