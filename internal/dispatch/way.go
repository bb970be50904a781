package dispatch

import (
	"slices"
	"strings"
	"sync"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/persian"
)

// Way is an operator and what may go to it.
type Way struct {
	Operator operator.Operator
	Lines    []string // account.LineKey of senders; none: any
	Prefixes []string // of recipients as 09…; none: any
}

func (w *Way) takes(line string, to persian.Mobile) bool {
	return (len(w.Lines) == 0 || slices.Contains(w.Lines, account.LineKey(line))) &&
		(len(w.Prefixes) == 0 || slices.ContainsFunc(w.Prefixes, func(p string) bool { return strings.HasPrefix(to.Local(), p) }))
}

// mostWays is how many a route has room for.
const mostWays = 64

// route is a set of ways, one bit each: the lowest is tried first.
type route uint64

// first is the way of a set that is tried first; 0 where there is none.
func (r route) first() route { return r & -r }

// covers tells whether a way takes all that another one takes.
func (w *Way) covers(other *Way) bool {
	within := func(all, some []string, fits func(string, string) bool) bool {
		return len(all) == 0 || len(some) > 0 && !slices.ContainsFunc(some, func(one string) bool {
			return !slices.ContainsFunc(all, func(a string) bool { return fits(one, a) })
		})
	}
	return within(w.Lines, other.Lines, func(a, b string) bool { return a == b }) && within(w.Prefixes, other.Prefixes, strings.HasPrefix)
}

// way is a Way at work. What changes is the queue's.
type way struct {
	Way
	bit   route
	hides route // those before it that take all that it takes
	work  *sync.Cond
	fails int       // in a row, to hand anything over
	rests time.Time // until when nothing is handed over
	alive time.Time // when it was last seen ready
	// rested has the workers look again after a rest
	rested *time.Timer
}

const (
	firstRest = 10 * time.Millisecond
	lastRest  = time.Second
)

func (w *way) ready(now time.Time) bool {
	if now.Before(w.rests) || !w.Operator.Ready() {
		return false
	}
	w.alive = now
	return true
}
