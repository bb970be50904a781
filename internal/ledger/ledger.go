// Package ledger owns the words of money: which movements there are, who
// stands on the other side of each, and what a call may move. The ledger is
// double entry and only ever added to; the store makes it durable and refuses
// what a wallet does not cover.
package ledger

import (
	"time"

	"dargah.dev/dargah/internal/rial"
)

// Kind is why money moved.
type Kind string

// The kinds of entries. All but Settle move a customer's wallet.
const (
	Opening    Kind = "opening"    // what a wallet began with
	TopUp      Kind = "topup"      // the customer paid
	Correction Kind = "correction" // an operator set something right, either way
	Charge     Kind = "charge"     // an answer was paid for
	Refund     Kind = "refund"     // a charge was given back
	Reserve    Kind = "reserve"    // a call that goes outside holds its price
	Release    Kind = "release"    // what was held came back
	Settle     Kind = "settle"     // what was held was earned
)

// Kinds lists those of a wallet's entries.
func Kinds() []Kind { return []Kind{Opening, TopUp, Correction, Charge, Refund, Reserve, Release} }

// The house's own accounts. Together with all wallets they are always 0.
const (
	Cash        = "house/cash"       // what customers paid in, below 0
	Revenue     = "house/revenue"    // what was earned
	Held        = "house/held"       // reserved by calls under way
	Corrections = "house/correction" // what operators set right
)

// House lists the house's accounts.
func House() []string { return []string{Cash, Revenue, Held, Corrections} }

// Contra is the house account on the other side of a kind of entry. Settle
// moves from Held to Revenue.
func (k Kind) Contra() string {
	switch k {
	case Opening, TopUp:
		return Cash
	case Correction:
		return Corrections
	case Reserve, Release:
		return Held
	default:
		return Revenue
	}
}

// Price is what a call costs. The zero Price moves nothing.
type Price struct {
	Account string
	Amount  rial.Amount // of the answer; 0 where nothing is owed
	// Held is what the call reserved before it went outside. Amount of it is
	// settled, never more; the rest is released.
	Held rial.Amount
}

// Reservation holds the price of a call that goes outside, from before it does
// until its end is known.
type Reservation struct {
	Account  string
	Amount   rial.Amount // above 0
	Deadline time.Time   // when it is released if nobody has closed the call
}

// Operation is what an operator does to a wallet.
type Operation struct {
	ID      string // unique; made by whoever asks, so that asking twice moves once
	Account string
	Kind    Kind        // TopUp, Refund or Correction
	Amount  rial.Amount // above 0; a Correction may be below, and 0 is all that is left to Refund
	Actor   string      // who does it
	Reason  string      // why; needed for Refund and Correction
	Refers  string      // the call whose charge a Refund gives back
}
