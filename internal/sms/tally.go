package sms

import (
	"hash/maphash"
	"sync"
	"time"

	"dargah.dev/dargah/internal/persian"
)

// Limits are what an account may send, against pumping: somebody who makes a
// customer's sign-up page send messages to numbers that he earns from, usually
// neighbours of each other. Each is of an hour, whatever hour one looks at, and 0
// switches it off. They are counted in this process: several nodes together may
// let through as many times more.
type Limits struct {
	Number int // messages to one number
	Prefix int // messages to the ten thousand numbers that differ in the last four digits
	Hour   int // messages
}

// DefaultLimits are for accounts that have none of their own. A page that asks
// for a code again and again sends a few an hour; a campaign to a whole city has
// a few numbers of each ten thousand.
var DefaultLimits = Limits{Number: 20, Prefix: 200}

// Limit is which of the limits was met.
type Limit string

// The limits.
const (
	LimitNumber Limit = "number"
	LimitPrefix Limit = "prefix"
	LimitHour   Limit = "hour"
)

// slotLength times slots is an hour and the slot that has just begun, so that no
// hour has more than the limit, wherever it begins.
const (
	slotLength = 12 * time.Minute
	slots      = 6
)

// tally counts messages of the last hour, which takes about 40 bytes of memory
// each: they are paid for and stored, so nobody fills it for nothing. The zero
// tally is ready.
type tally struct {
	mu     sync.Mutex
	seed   maphash.Seed // another one each time, so that nobody can choose keys that meet
	newest int64        // number of the slot that is filled, in slotLengths from 1970
	counts [slots]map[uint64]uint32
	told   map[alarm]bool // the alarms given in the newest slot
}

// counted is what is counted together; of is a number, the beginning of
// numbers, or nothing.
type counted struct{ account, of string }

type alarm struct {
	account string
	limit   Limit
}

// take counts messages of an account to the recipients, or none of them: then
// met is the limit that stood in the way, and first tells that it is the first
// time for this account in this slot.
func (t *tally) take(at time.Time, account string, limits Limits, recipients []persian.Mobile) (met Limit, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(at)
	taken := make([]uint64, 0, 3*len(recipients))
	for _, r := range recipients {
		for _, c := range [...]struct {
			limit Limit
			most  int
			of    string
		}{
			{LimitNumber, limits.Number, r.Local()},
			{LimitPrefix, limits.Prefix, r.Local()[:7]},
			{LimitHour, limits.Hour, ""},
		} {
			if c.most <= 0 {
				continue
			}
			key := maphash.Comparable(t.seed, counted{account, c.of})
			if t.count(key) >= c.most {
				t.giveBack(taken)
				return c.limit, t.tell(alarm{account, c.limit})
			}
			t.counts[t.newest%slots][key]++
			taken = append(taken, key)
		}
	}
	return "", false
}

// turn goes to the slot of the time, emptying those that it passes. A clock that
// goes back stays in the slot where it was.
func (t *tally) turn(at time.Time) {
	now := at.UnixNano() / int64(slotLength)
	if t.newest == 0 {
		t.seed = maphash.MakeSeed()
		t.newest = now - slots
	}
	if t.newest < now {
		t.told = map[alarm]bool{}
	}
	for t.newest = max(t.newest, now-slots); t.newest < now; {
		t.newest++
		t.counts[t.newest%slots] = map[uint64]uint32{} // a cleared one would keep its memory
	}
}

func (t *tally) count(key uint64) (n int) {
	for _, slot := range t.counts {
		n += int(slot[key])
	}
	return n
}

func (t *tally) giveBack(keys []uint64) {
	for _, key := range keys {
		t.counts[t.newest%slots][key]--
	}
}

func (t *tally) tell(a alarm) bool {
	first := !t.told[a]
	t.told[a] = true
	return first
}
