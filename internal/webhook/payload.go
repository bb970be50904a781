package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/sms"
)

// Subject is what a notice is about: a message and its batch, or an incoming
// message.
type Subject struct {
	Message  *sms.Message
	Batch    int64
	Incoming *sms.Incoming
}

// payload is the body of a notice.
type payload struct {
	Type      Event  `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

// messageData names a message as both providers' APIs do: by its GUID and by its
// number. Recipient and text are there where the webhook asks for text.
type messageData struct {
	MessageID     string `json:"messageId"`
	MessageNumber int64  `json:"messageNumber"`
	BatchID       string `json:"batchId"`
	BatchNumber   int64  `json:"batchNumber"`
	Line          string `json:"line"`
	State         string `json:"state"`
	Parts         int    `json:"parts"`
	At            string `json:"at"`
	Recipient     string `json:"recipient,omitempty"`
	Text          string `json:"text,omitempty"`
}

type incomingData struct {
	IncomingNumber int64  `json:"incomingNumber"`
	Line           string `json:"line"`
	Parts          int    `json:"parts"`
	At             string `json:"at"`
	Repeated       bool   `json:"repeated,omitempty"` // it may have come before
	Sender         string `json:"sender,omitempty"`
	Text           string `json:"text,omitempty"`
}

// testData says that nothing happened.
type testData struct {
	Webhook string `json:"webhook"`
}

// Body is what is sent, the same at every attempt as long as the webhook is the
// same.
func (w *Webhook) Body(n *Notice, about Subject, names *sms.Names) ([]byte, error) {
	var data any = testData{w.ID}
	switch {
	case about.Message != nil:
		data = w.ofMessage(n, about, names)
	case about.Incoming != nil:
		data = w.ofIncoming(about.Incoming)
	case n.Event != Test:
		return nil, fmt.Errorf("notice %s is about nothing", n.Name())
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(payload{n.Event, stamp(n.At), data}); err != nil {
		return nil, fmt.Errorf("word notice %s: %w", n.Name(), err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (w *Webhook) ofMessage(n *Notice, about Subject, names *sms.Names) messageData {
	m := about.Message
	data := messageData{
		MessageID: names.Message(m.ID), MessageNumber: m.ID, BatchID: names.Batch(about.Batch), BatchNumber: about.Batch,
		Line: m.Line, State: states[n.State], Parts: m.Parts, At: stamp(n.At),
	}
	if w.WithText {
		data.Recipient, data.Text = m.Recipient.Local(), m.Text
	}
	return data
}

func (w *Webhook) ofIncoming(m *sms.Incoming) incomingData {
	data := incomingData{IncomingNumber: m.ID, Line: m.Line, Parts: m.Parts, At: stamp(m.At), Repeated: m.Repeated}
	if w.WithText {
		data.Sender, data.Text = m.Sender, m.Text
	}
	return data
}

// states are the words of final states.
var states = map[sms.State]string{
	sms.Delivered: "delivered", sms.Undelivered: "undelivered", sms.Expired: "expired", sms.Rejected: "rejected", sms.Failed: "failed",
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
