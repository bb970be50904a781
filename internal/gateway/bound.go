package gateway

import (
	"context"
	"sync"
	"time"
)

// bound ends with its parent or at a moment, as context.WithDeadline's does.
// Its timer is set when somebody waits for its end. A lone call that commits for
// itself is answered without anybody doing so, and what WithDeadline makes would
// take it half as long as to look up a person.
type bound struct {
	context.Context
	until time.Time

	mu    sync.Mutex
	armed context.Context // nil until somebody waits
	end   context.CancelFunc
	over  bool
}

func (b *bound) Deadline() (time.Time, bool) {
	if at, set := b.Context.Deadline(); set && at.Before(b.until) {
		return at, true
	}
	return b.until, true
}

func (b *bound) Done() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.armed == nil && b.over {
		b.armed, b.end = context.WithCancel(b.Context)
		b.end()
	}
	if b.armed == nil {
		b.armed, b.end = context.WithDeadline(b.Context, b.until)
	}
	return b.armed.Done()
}

func (b *bound) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch err := b.Context.Err(); {
	case b.armed != nil:
		return b.armed.Err()
	case err != nil:
		return err
	case b.over:
		return context.Canceled
	case !time.Now().Before(b.until):
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Value is also how a context that is made from this one finds the one that it
// ends with.
func (b *bound) Value(key any) any {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.armed != nil {
		return b.armed.Value(key)
	}
	return b.Context.Value(key)
}

// cancel ends it and gives back what it holds.
func (b *bound) cancel() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.end != nil {
		b.end()
	}
}
