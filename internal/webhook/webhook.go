// Package webhook owns the words and rules of telling customers what happened to
// their messages: events, notices of them, how they are signed, what they say,
// when they are tried again, and which addresses they may go to. Carrying
// them there, and keeping them until then, is left to others.
package webhook

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/sms"
)

// Event is something that happens, as it is named in payloads.
type Event string

// The events. Only final states of messages are told.
const (
	Delivered Event = "message.delivered"
	Failed    Event = "message.failed" // undelivered, expired, rejected, or accepted by no operator
	Received  Event = "message.received"
	// Test is sent on demand alone; nobody asks for it.
	Test Event = "webhook.test"
)

// Events are those that a webhook may ask for.
var Events = []Event{Delivered, Failed, Received}

// Of gives the event of a message that came to this state; false where nobody
// is told.
func Of(s sms.State) (Event, bool) {
	switch s {
	case sms.Delivered:
		return Delivered, true
	case sms.Undelivered, sms.Expired, sms.Rejected, sms.Failed:
		return Failed, true
	default:
		return "", false
	}
}

// ReadEvents reads names of events, each once and in the order of Events. No
// name at all is an error, and so is one that is none.
func ReadEvents(names []string) ([]Event, error) {
	for _, n := range names {
		if !slices.Contains(Events, Event(n)) {
			return nil, fmt.Errorf("%q is no event: give message.delivered, message.failed or message.received", n)
		}
	}
	var all []Event
	for _, e := range Events {
		if slices.Contains(names, string(e)) {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no event: give message.delivered, message.failed or message.received")
	}
	return all, nil
}

// Webhook is where an account hears of events. Its address and its secrets are
// the customer's own.
type Webhook struct {
	ID       string
	Account  string // id
	URL      string
	Events   []Event
	WithText bool // payloads have phone numbers and texts
	Disabled bool
	Secret   Secret
	// Former is the secret before, which signs too until FormerUntil.
	Former      Secret
	FormerUntil time.Time
	At          time.Time // when it was added
	// FailingSince is when the first of Failures came, all in a row; zero where
	// the last attempt arrived.
	FailingSince time.Time
	Failures     int
}

// Wants tells whether it asks for the event.
func (w *Webhook) Wants(e Event) bool { return !w.Disabled && slices.Contains(w.Events, e) }

// When to give up a webhook: after so long without one success, and so many
// failures that it cannot have been one notice alone.
const (
	Patience      = 5 * 24 * time.Hour
	LeastFailures = 10
)

// Sick is so many failures in a row that a webhook is tried by one notice at a
// time, with pauses.
const Sick = 3

// Hopeless tells whether a webhook that failed now is to be disabled.
func (w *Webhook) Hopeless(now time.Time) bool {
	return !w.FailingSince.IsZero() && now.Sub(w.FailingSince) >= Patience && w.Failures >= LeastFailures
}

// Outcome is what became of a notice.
type Outcome int

// The outcomes.
const (
	Waiting Outcome = iota
	Arrived
	GivenUp
)

// Notice is one event for one webhook.
type Notice struct {
	ID      int64
	Webhook string
	Event   Event
	Ref     int64 // the message, or the incoming message
	State   sms.State
	At      time.Time // when it happened
	// Attempt counts those before this one since it was last due at once: it
	// says when the next is. Attempts counts all.
	Attempt, Attempts int
	Outcome           Outcome
	Status            int       // of the last answer; 0 for none
	TriedAt           time.Time // zero where it never was
	Note              string    // why the last attempt failed, in words of ours
}

// Name is the notice's webhook-id: the same at each attempt, and after a replay.
func (n *Notice) Name() string { return Name(n.ID) }

const namePrefix = "msg_"

// Name is the webhook-id of a notice.
func Name(id int64) string { return namePrefix + strconv.FormatInt(id, 36) }

// ParseName gives the notice's id back.
func ParseName(name string) (int64, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(name, namePrefix), 36, 64)
	if err != nil || id <= 0 || Name(id) != name {
		return 0, fmt.Errorf("%q is no webhook-id: they begin with %s", name, namePrefix)
	}
	return id, nil
}

// Try is what became of one attempt.
type Try struct {
	Notice  int64
	Webhook string
	At      time.Time
	Outcome Outcome
	Status  int
	Note    string
	Next    time.Time // of a notice that waits
	// Gone: there is nothing to tell any more. It is no failure of the webhook.
	Gone bool
}
