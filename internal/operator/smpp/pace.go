package smpp

import (
	"sync"
	"time"

	"dargah.dev/dargah/internal/operator"
)

// The pause after the message centre said that it takes no more: the first is
// the time of one part, each further one is twice as long.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = 10 * time.Second
)

// pace is when a bind may send the next part. No second has more than the rate,
// and short delays are made up for.
//
// A pause grows by a step with each refusal of a part that was sent after the
// pause before, and shrinks by half a step with each part taken. So a limit
// that is lower than the rate settles where a third is refused, and a message
// centre that refuses one in five at random costs hardly anything.
type pace struct {
	rate   int
	turned operator.Signal // is raised when a pause begins, and when it ends
	gap    time.Duration   // of one part; 0 without a rate
	credit time.Duration   // how much delay is made up for

	mu    sync.Mutex
	next  time.Time   // when the next part is due
	sent  []time.Time // the last parts, as many as the rate: a ring
	at    int         // the oldest of them
	half  int         // half steps of the pause
	since time.Time   // when the pause began
	until time.Time   // when it ends
}

func newPace(rate int, turned operator.Signal) *pace {
	p := &pace{rate: rate, turned: turned}
	if rate > 0 {
		p.gap = time.Second / time.Duration(rate)
		p.credit = max(p.gap, 50*time.Millisecond)
		p.sent = make([]time.Time, rate)
	}
	return p
}

// paused is for how long the pause lasts from now.
func (p *pace) paused() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until.IsZero() {
		return 0
	}
	return max(0, time.Until(p.until))
}

// take gives 0 and counts a part as sent, or tells how long to wait before it
// is asked again.
func (p *pace) take() time.Duration {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.wait(now); wait > 0 {
		return wait
	}
	if p.rate > 0 {
		if due := now.Add(-p.credit); p.next.Before(due) {
			p.next = due
		}
		p.next = p.next.Add(p.gap)
		p.sent[p.at] = now
		p.at = (p.at + 1) % p.rate
	}
	return 0
}

// left is how long nothing may be sent.
func (p *pace) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wait(time.Now())
}

func (p *pace) wait(now time.Time) time.Duration {
	wait := p.until.Sub(now)
	if p.rate > 0 {
		wait = max(wait, p.next.Sub(now), p.sent[p.at].Add(time.Second).Sub(now))
	}
	return wait
}

// refused begins a pause, but for parts that were under way when the last one
// began: they say nothing new.
func (p *pace) refused(sent time.Time) (pause time.Duration) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !sent.After(p.since) && !p.since.IsZero() {
		return 0
	}
	first := firstPause
	if p.gap > 0 {
		first = min(p.gap, time.Second)
	}
	pause = lastPause
	if step := p.half / 2; step < 16 {
		pause = min(first<<step, lastPause)
	}
	p.half = min(p.half+2, 40)
	p.since, p.until = now, now.Add(pause)
	p.turned.Raise()
	time.AfterFunc(pause, p.turned.Raise)
	return pause
}

// accepted makes the next pause shorter.
func (p *pace) accepted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.half = max(0, p.half-1)
}
