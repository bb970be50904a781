package sms

import (
	"time"

	"dargah.dev/dargah/internal/persian"
)

// Sent selects batches of an account, the newest first. A zero field selects
// nothing out.
type Sent struct {
	Account     string // needed
	Batch       int64
	Recipient   persian.Mobile // of any of its messages
	From, Until time.Time      // of At; Until is not in it
	Limit       int            // needed
}

// Inbox selects incoming messages of an account, the newest first. A zero field
// selects nothing out.
type Inbox struct {
	Account     string // needed
	Line        string // in any spelling
	Sender      string // in any spelling
	From, Until time.Time
	Unread      bool
	Limit       int // needed
}
