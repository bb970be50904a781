package sms

import "time"

// Result is what became of a message that was to be sent. Messages that are
// Failed are given their price back by whoever stores it.
type Result struct {
	Message  int64
	Batch    int64
	Parts    []PartResult // that an operator accepted
	Operator string       // that accepted them; empty where none did
	// State is Submitted, or one in which nothing more is sent: Unknown,
	// Rejected, Failed; Queued where only Doubt is news.
	State State
	Doubt bool // it may have been sent twice; once said, it stays
	At    time.Time
	// Done: this was the last of the batch, whose job is over.
	Done bool
}

// PartResult is one part that an operator accepted.
type PartResult struct {
	Place int    // from 1
	ID    string // as the operator gave it
}
