// Package job owns the words of work that is kept until it is done: the store
// keeps it, hands it to one holder at a time under a lease, and hands it to
// another when the lease has ended. What a kind of work is belongs to whoever
// does it.
package job

import "time"

// The kinds.
const (
	Send   = "send"   // a batch of messages: Ref is its id
	Notice = "notice" // one event for one webhook: Ref is its id
)

// Job is one piece of work, claimed.
type Job struct {
	Kind     string
	Ref      int64
	Priority int // the lowest goes first
	Due      time.Time
	Attempt  int // how often it was claimed, this time included
	// Lapsed: whoever had it before neither finished it nor put it off, so that
	// nobody knows how far it went.
	Lapsed bool
}
