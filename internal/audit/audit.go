// Package audit owns what is kept of a call: one record for each answer and
// for each refusal of a known account, and counts for callers we do not know,
// so that nobody can fill the disk with garbage.
package audit

import (
	"net/netip"
	"time"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
)

// Answered is the outcome of a call that got its answer; every other outcome
// is the name of its fault.
const Answered = "answered"

// SubjectHash is the purpose of the keyed hash of the person asked about.
const SubjectHash = "subject"

// Record is one call of a known account. It holds nothing readable about the
// person who was asked about.
type Record struct {
	Call     string // operation id: unique, the same in the log line
	At       time.Time
	Took     time.Duration
	Dialect  string
	Service  string
	Method   string
	Account  string
	Peer     netip.Addr
	Outcome  string
	Price    rial.Amount
	Source   string // who answered; empty where nobody was asked
	Subject  []byte // keyed hash of the person asked about; nil where there is none
	Document string // token id, where the call used or made one
}

// Garbage is one kind of unknown caller in one minute.
type Garbage struct {
	Minute  int64 // since the Unix epoch
	Peer    netip.Addr
	Dialect string
	Outcome fault.Code
}
