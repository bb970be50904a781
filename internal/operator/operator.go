// Package operator owns the contract between whoever sends messages and the
// ways out to the phones: what is handed over, what comes of it, and what comes
// back. Each way is a folder below. Which way a message takes, and what is
// durable, is decided elsewhere.
package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// What became of a part that no operator has accepted.
var (
	// ErrUnsent: the part never left this process, so that another way, or
	// another time, cannot send it twice.
	ErrUnsent = errors.New("the part was not sent")
	// ErrDoubt: the part was written, and nobody knows whether it was taken.
	ErrDoubt = errors.New("it is not known whether the part was taken")
	// ErrThrottled: the operator takes no more just now, and took nothing.
	ErrThrottled = errors.New("the operator takes no more just now")
)

// Rejected is an operator's refusal of a part; Temporary where the same part
// may be taken later, or by another operator.
type Rejected struct {
	Status    uint32 // the operator's own number
	Temporary bool
}

func (r *Rejected) Error() string {
	return fmt.Sprintf("the operator refused it with status %#x", r.Status)
}

// Part is what is handed over at once: a message, or one part of a long one.
type Part struct {
	From      string         // sender line
	To        persian.Mobile // recipient
	Coding    sms.Coding
	Data      []byte // septets, one in a byte, or UTF-16 big endian; no header
	Reference uint16 // the same in all parts of a message; 0 where it has but one
	Number    int    // from 1
	Total     int    // of parts
	Expires   time.Time
	Urgent    bool
	// Again marks a part that may have been sent before (ErrDoubt).
	Again bool
	// Message is ours, for operators that play a scenario, and for late answers.
	Message int64
}

// Operator is a way out. It is safe for concurrent use.
type Operator interface {
	Name() string
	// Submit hands a part over and waits for the answer: the operator's id of it,
	// or one of the errors above, wrapped.
	Submit(context.Context, Part) (id string, err error)
	// Ready tells whether parts can be handed over now. Changed has a signal after
	// that may have become otherwise; one reader is to hear it.
	Ready() bool
	Changed() <-chan struct{}
	// Window is how many parts may be under way at once.
	Window() int
	// Close ends it, after the answers that are still to come have come, or the
	// context has ended.
	Close(context.Context) error
}

// Signal is a wake-up for one reader: those that it has not heard yet are one.
type Signal chan struct{}

// NewSignal is one that nobody has raised.
func NewSignal() Signal { return make(Signal, 1) }

// Raise never waits.
func (s Signal) Raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// Receipt is what an operator says about a part that it accepted before.
type Receipt struct {
	Operator string
	ID       string // as the operator spells it here, which may not be as it did before
	To       string // the recipient as the receipt has it; empty where it does not say
	State    sms.State
	Error    string // the operator's own code
	At       time.Time
}

// Arrival is a message, or one part of it, from a phone.
type Arrival struct {
	Operator  string
	From      string // the phone, as it came
	To        string // the line, as it came
	Coding    sms.Coding
	Data      []byte // as in Part
	Reference uint16
	Number    int // from 1
	Total     int
	At        time.Time
	// Bind names the connection that it came over for as long as all answers
	// there arrived; empty where that is not known. Serial is what whoever sent the
	// message numbered it with; empty for none.
	Bind, Serial string
}

// Late is the answer to a part that was in doubt by then.
type Late struct {
	Operator      string
	Message       int64 // those of Part
	Number, Total int
	Refused       bool   // the operator did not take it
	ID            string // where it did
	At            time.Time
}

// Sink takes what operators bring of their own accord. All return when it is
// durable, or with an error when it is not: the operator is then to bring it
// again, but for late answers, which come once.
type Sink interface {
	Late(context.Context, Late) error
	Receipt(context.Context, Receipt) error
	Arrival(context.Context, Arrival) error
}
