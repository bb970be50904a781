// Package smpp owns the way out over SMPP 3.4: binds to one message centre that
// are kept up, parts handed over within the window and the rate, and receipts
// and messages of phones taken back. The bytes are those of the package pdu
// below; which parts go this way, what is durable and which receipt belongs to
// which part is decided elsewhere.
package smpp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator"
)

// Operator is one message centre, with all binds to it.
type Operator struct {
	settings Settings
	sink     operator.Sink
	log      *event.Log
	zone     *time.Location
	links    []*link
	queue    chan *call      // whoever may send takes the next
	changed  operator.Signal // Ready may tell otherwise
	base     context.Context // of the sink's work
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex
	up      int           // sessions that can send
	outage  chan struct{} // closed while there are none
	closing bool
}

// New begins to bind and returns at once: that the message centre is away, or
// refuses the password, is told by the log and by Ready.
func New(s Settings, sink operator.Sink, log *event.Log) (*Operator, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("operator %s: %w", s.Name, err)
	}
	o := &Operator{settings: s.filled(), sink: sink, log: log, queue: make(chan *call), changed: operator.NewSignal(), outage: make(chan struct{})}
	close(o.outage)
	o.zone, _ = zone(o.settings.Zone) // checked above
	dial, err := o.settings.dialer()
	if err != nil {
		return nil, fmt.Errorf("operator %s: %w", s.Name, err)
	}
	o.base, o.stop = context.WithCancel(context.Background())
	for range o.settings.Binds {
		for _, kind := range kinds(o.settings.Bind) {
			l := &link{operator: o, kind: kind, dial: dial, pace: newPace(o.settings.PartsPerSecond, o.changed)}
			o.links = append(o.links, l)
			o.running.Go(func() { l.run(o.base) })
		}
	}
	return o, nil
}

// Name is the settings'.
func (o *Operator) Name() string { return o.settings.Name }

// Window is the sum over the binds that send.
func (o *Operator) Window() int { return o.settings.Binds * o.settings.Window }

// Ready tells whether a bind is there that can send now: none does while the
// message centre wants it to pause.
func (o *Operator) Ready() bool {
	closing := o.closes()
	for _, l := range o.links {
		if !closing && l.canSend() && l.pace.paused() == 0 {
			return true
		}
	}
	return false
}

// Changed has a signal when a bind has come or gone, and when a pause begins or
// ends.
func (o *Operator) Changed() <-chan struct{} { return o.changed }

// Submit hands a part over. Parts wait here, in their order, for a place in the
// window, for the rate, and for a short pause to end.
func (o *Operator) Submit(ctx context.Context, p operator.Part) (string, error) {
	if o.halted() {
		return "", fmt.Errorf("operator %s: %w", o.settings.Name, operator.ErrThrottled)
	}
	c := &call{part: &p, answer: make(chan answer, 1)}
	down := o.down()
	queue := o.queue
	select {
	case <-down:
		queue = nil // a bind that is about to end may still listen
	default:
	}
	select {
	case queue <- c:
	case <-down:
		return "", fmt.Errorf("operator %s: no bind: %w", o.settings.Name, operator.ErrUnsent)
	case <-ctx.Done():
		return "", fmt.Errorf("operator %s: %w: %w", o.settings.Name, operator.ErrUnsent, context.Cause(ctx))
	}
	select {
	case a := <-c.answer:
		if a.err != nil {
			return "", fmt.Errorf("operator %s: %w", o.settings.Name, a.err)
		}
		return a.id, nil
	case <-ctx.Done():
		o.running.Go(func() { o.await(c) })
		return "", fmt.Errorf("operator %s: %w: %w", o.settings.Name, operator.ErrDoubt, context.Cause(ctx))
	}
}

// await takes the answer to a part whose sender waits no longer.
func (o *Operator) await(c *call) {
	a := <-c.answer
	var rejected *operator.Rejected
	refused := errors.As(a.err, &rejected) || errors.Is(a.err, operator.ErrThrottled) || errors.Is(a.err, operator.ErrUnsent)
	if a.err == nil || refused {
		o.late(c.part, a.id, refused)
	}
}

// patience is for how long a part waits for a pause to end.
const patience = time.Second

// halted tells whether every bind that could send pauses for longer than a part
// should wait here.
func (o *Operator) halted() bool {
	some := false
	for _, l := range o.links {
		if l.canSend() {
			if l.pace.paused() <= patience {
				return false
			}
			some = true
		}
	}
	return some
}

// down is closed as soon as no bind can send.
func (o *Operator) down() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.outage
}

// risen and fallen count the sessions that can send.
func (o *Operator) risen() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.up++; o.up == 1 && !o.closing {
		o.outage = make(chan struct{})
	}
}

func (o *Operator) fallen() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.up--; o.up == 0 && !o.closing {
		close(o.outage)
	}
}

func (o *Operator) closes() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}

// Close takes no more parts, waits for the answers that are to come, unbinds
// and disconnects. When the context ends first it only disconnects.
func (o *Operator) Close(ctx context.Context) error {
	o.mu.Lock()
	if !o.closing {
		o.closing = true
		if o.up > 0 {
			close(o.outage)
		}
	}
	o.mu.Unlock()
	o.changed.Raise()
	var wait sync.WaitGroup
	failures := make([]error, len(o.links))
	for i, l := range o.links {
		wait.Go(func() { failures[i] = l.leave(ctx) })
	}
	wait.Wait()
	o.stop()
	o.running.Wait()
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("operator %s: unbind: %w", o.settings.Name, err)
	}
	return nil
}
