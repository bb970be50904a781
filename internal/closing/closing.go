// Package closing owns what one call leaves behind: its record, its charge and
// its effect on tokens and messages, which the store makes durable together or not at all,
// before the answer leaves; and what a call that goes outside leaves behind
// before it goes.
package closing

import (
	"errors"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/token"
)

// Closing is the end of one call.
type Closing struct {
	Record   audit.Record
	Charge   ledger.Price
	Rotation *token.Rotation // a refresh token that was shown, to be spent; nil for other calls
	Batch    *sms.Batch      // messages to be sent, which Charge pays for; nil for other calls
	Cancel   *sms.Cancel     // messages not to be sent after all; nil for other calls
	Read     *sms.Read       // incoming messages that were handed out; nil for other calls
	Key      *Key            // under which the answer is kept; nil for other calls
	// Late, which may be nil, lets the commit be done by its caller's goroutine.
	// Where that takes too long Late is called, once, by another one: it answers
	// the call, and Commit returns the same error after it. The caller touches
	// nothing meanwhile.
	Late func(error)
}

// Intent is the beginning of a call that goes outside.
type Intent struct {
	Record audit.Record // Outcome and Price are not known yet
	ledger.Reservation
	Key *Key
}

// Key is an idempotency key that a caller gave.
type Key struct {
	ID     [32]byte // hash of account, route and key
	Body   [32]byte // hash of what is asked
	Answer []byte   // the reply, sealed; none in an Intent
}

// Kept is what was answered under a key.
type Kept struct {
	Call   string
	Body   [32]byte
	Answer []byte // the reply, sealed; none after an erasure
	At     time.Time
	Open   bool // the call is still outside
}

// Repeated is the refusal of a closing or an intent whose key has an answer
// already.
type Repeated struct{ Kept Kept }

func (*Repeated) Error() string { return "the idempotency key has an answer" }

// AsRepeated gives the Repeated in err; nil where there is none.
func AsRepeated(err error) *Repeated {
	r, _ := errors.AsType[*Repeated](err)
	return r
}
