package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// Rule says what becomes of messages to a recipient.
type Rule struct {
	When     map[string]string // recipient alone is a field of messages; empty is any
	Delivery string            // delivered, undelivered, expired, rejected, or pending: nothing is heard
	After    time.Duration     // 0 is a second
	Times    int               // how many messages it happens to; 0 is all
}

var states = map[string]sms.State{
	"delivered":   sms.Delivered,
	"undelivered": sms.Undelivered,
	"expired":     sms.Expired,
	"rejected":    sms.Rejected,
	"pending":     sms.Submitted,
}

// fate is what becomes of a message, and when.
type fate struct {
	state sms.State
	after time.Duration
}

// rules are those in force, with how often each may still happen. They live as
// long as the process.
type rules struct {
	mu  sync.Mutex
	all []*rule
}

type rule struct {
	Rule
	left int
}

func (r *rules) put(given []Rule) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := slices.Clone(r.all)
	next := make([]*rule, 0, len(given))
	for _, g := range given {
		if _, known := states[g.Delivery]; !known {
			return fmt.Errorf("scenario for messages: %q is no delivery", g.Delivery)
		}
		same := func(b *rule) bool {
			return b.Delivery == g.Delivery && b.After == g.After && b.Times == g.Times && maps.Equal(b.When, g.When)
		}
		if i := slices.IndexFunc(before, same); i >= 0 {
			next = append(next, before[i])
			before = slices.Delete(before, i, i+1) // of two that are the same each has its own count
			continue
		}
		next = append(next, &rule{g, g.Times})
	}
	r.all = next
	return nil
}

// of uses the first rule about the recipient that is not used up.
func (r *rules) of(to persian.Mobile) fate {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all {
		if !one.matches(to) || one.Times > 0 && one.left == 0 {
			continue
		}
		one.left--
		f := fate{states[one.Delivery], one.After}
		if f.after == 0 {
			f.after = usual
		}
		return f
	}
	return fate{sms.Delivered, usual}
}

func (r *rule) matches(to persian.Mobile) bool {
	for name, want := range r.When {
		if name != "recipient" || want != to.Local() {
			return false
		}
	}
	return true
}
