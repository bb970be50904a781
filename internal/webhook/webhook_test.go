package webhook_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

func TestEventsOfStates(t *testing.T) {
	t.Parallel()
	for s := sms.Queued; s <= sms.Blocked; s++ {
		e, told := webhook.Of(s)
		want, must := map[sms.State]webhook.Event{
			sms.Delivered: webhook.Delivered, sms.Undelivered: webhook.Failed, sms.Expired: webhook.Failed, sms.Rejected: webhook.Failed, sms.Failed: webhook.Failed,
		}[s]
		if e != want || told != must {
			t.Errorf("state %d: %q", s, e)
		}
	}
}

func TestReadEvents(t *testing.T) {
	t.Parallel()
	got, err := webhook.ReadEvents([]string{"message.received", "message.delivered", "message.received"})
	if err != nil || !slices.Equal(got, []webhook.Event{webhook.Delivered, webhook.Received}) {
		t.Errorf("%v: %v", got, err)
	}
	for _, bad := range [][]string{nil, {""}, {"message.sent"}, {"message.delivered", "webhook.test"}} {
		if _, err := webhook.ReadEvents(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// TestSchedule: eight attempts, the pauses as they are documented, and a tenth
// more at most.
func TestSchedule(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_790_000_000, 0)
	for i, pause := range []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
	} {
		for range 100 {
			next, again := webhook.Next(i+1, now)
			if took := next.Sub(now); !again || took < pause || took > pause+pause/10 {
				t.Fatalf("after %d failures: %s", i+1, took)
			}
		}
	}
	if _, again := webhook.Next(webhook.Attempts, now); again {
		t.Error("tried for ever")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64Range(1, 1<<62).Draw(t, "id")
		if back, err := webhook.ParseName(webhook.Name(id)); err != nil || back != id {
			t.Fatalf("%d came back as %d: %v", id, back, err)
		}
	})
	for _, bad := range []string{"", "msg_", "msg_0", "msg_-1", "msg_00z", "12", "msg_Z", "msg_zzzzzzzzzzzzzzzz"} {
		if id, err := webhook.ParseName(bad); err == nil {
			t.Errorf("%q is %d", bad, id)
		}
	}
}

// Canaries that only a webhook that asks for text may see.
const (
	number = "09120001234"
	phrase = "canary-in-the-text"
)

func TestBody(t *testing.T) {
	t.Parallel()
	names := sms.NewNames([32]byte{1})
	to, err := persian.ParseMobile(number)
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMicro(1_790_000_000_123_456)
	message := sms.Message{ID: 12, Line: "30001111", Recipient: to, Text: phrase, Parts: 2}
	incoming := sms.Incoming{ID: 7, Line: "30001111", Sender: number, Text: phrase, Parts: 1, At: at}
	const stamp = "2026-09-21T14:13:20.123Z"
	ofMessage := map[string]any{
		"messageId": names.Message(12), "messageNumber": 12.0, "batchId": names.Batch(11), "batchNumber": 11.0,
		"line": "30001111", "state": "expired", "parts": 2.0, "at": stamp,
	}
	ofIncoming := map[string]any{"incomingNumber": 7.0, "line": "30001111", "parts": 1.0, "at": stamp}
	for name, c := range map[string]struct {
		notice webhook.Notice
		about  webhook.Subject
		who    string
		want   map[string]any
	}{
		"message":  {webhook.Notice{Event: webhook.Failed, State: sms.Expired, At: at}, webhook.Subject{Message: &message, Batch: 11}, "recipient", ofMessage},
		"incoming": {webhook.Notice{Event: webhook.Received, At: at}, webhook.Subject{Incoming: &incoming}, "sender", ofIncoming},
	} {
		for _, withText := range []bool{false, true} {
			w := webhook.Webhook{ID: "h1", WithText: withText}
			body, err := w.Body(&c.notice, c.about, names)
			if err != nil {
				t.Fatal(err)
			}
			if withText {
				c.want[c.who], c.want["text"] = number, phrase
			} else if strings.Contains(string(body), number[1:]) || strings.Contains(string(body), phrase) {
				t.Errorf("%s tells more than it may: %s", name, body)
			}
			var got map[string]any
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any{"type": string(c.notice.Event), "timestamp": stamp, "data": c.want}, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
	w := webhook.Webhook{ID: "h1"}
	if _, err := w.Body(&webhook.Notice{Event: webhook.Failed}, webhook.Subject{}, names); err == nil {
		t.Error("a notice about nothing has a body")
	}
}
