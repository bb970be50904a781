// Package sms owns the words and rules of text messages: alphabets and parts,
// templates, what a sending is, and what may be sent when. It knows no
// provider, no operator and no SQL.
package sms

import (
	"time"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
)

// Coding is the alphabet that a message goes out in; the numbers are those of
// SMPP's data_coding.
type Coding uint8

// The alphabets.
const (
	GSM7 Coding = 0
	UCS2 Coding = 8
)

// State is what has become of a message.
type State uint8

// The states. Those from Delivered on are final; a message in Failed,
// Cancelled or Blocked costs nothing.
const (
	Queued      State = iota // waits for its time, or for an operator
	Submitted                // an operator has it
	Unknown                  // an operator may have it, and says nothing more
	Delivered                // it is on the phone
	Undelivered              // the operator gave up
	Expired                  // its validity was over before it was on the phone
	Rejected                 // the operator, or the phone, does not take it
	Failed                   // no operator accepted it
	Cancelled                // before its time came
	Blocked                  // its recipient does not want messages of this line
)

// Final tells whether nothing more can become of it.
func (s State) Final() bool { return s >= Delivered }

// Free tells whether it costs nothing.
func (s State) Free() bool { return s >= Failed }

// Priority is what goes first; the lowest number does.
type Priority uint8

// The priorities.
const (
	Urgent Priority = iota // one-time codes: templates that say so
	Normal                 // to one recipient
	Bulk
)

// Batch is what one call sends: one message or several, which are paid for
// together.
type Batch struct {
	ID       int64  // that of its first message; the others' follow it without a gap
	Account  string // id
	Call     string // operation id of the call, under which the ledger has the charge
	At       time.Time
	Due      time.Time // when it is to be sent; At where at once
	Expires  time.Time // when it is no longer worth sending
	Priority Priority
	// Once: a message of which nobody knows whether an operator has it is not
	// sent again.
	Once  bool
	Price rial.Amount // of all together
	// Cap is how much the account may spend on messages in a day of Tehran, this
	// batch among it; 0 is any amount. The store decides, with fault.Quota.
	Cap rial.Amount
	// Daily bounds lines in the same way; blocked messages do not count.
	Daily    []Daily
	Messages []Message
}

// Daily is how many messages may go out by a line in a day of Tehran.
type Daily struct {
	Line     string // in any spelling
	Messages int    // above 0
}

// Margin is how long before its time a scheduled batch can be cancelled at the
// latest.
const Margin = 30 * time.Second

// Cancel is the end of a scheduled batch before its time came: its messages
// become Cancelled and its price goes back. The store decides, with
// fault.NotFound where the account has no such batch that was scheduled, and
// fault.TooLate after Due less Margin.
type Cancel struct {
	Account string
	Batch   int64
	At      time.Time
}

// Read marks incoming messages of an account as read.
type Read struct {
	Account  string
	Incoming []int64
}

// Message is one message to one recipient.
type Message struct {
	ID        int64
	Line      string // as the account has it
	Recipient persian.Mobile
	Text      string
	Coding    Coding
	Parts     int
	Price     rial.Amount
	State     State
	SentAt    time.Time // when an operator accepted it; zero before
	StateAt   time.Time // when State was reached
	Operator  string    // that accepted it
	// Doubt: it may have been sent twice.
	Doubt bool
}

// Incoming is a message from a phone.
type Incoming struct {
	ID     int64
	Line   string // as the account has it
	Sender string // as providers print it: 09… for a mobile of this country, else as it came
	Text   string
	Parts  int
	At     time.Time
	Read   bool
	// Repeated: an operator may have brought it before.
	Repeated bool
}
