package dispatch

import (
	"context"
	"errors"
	"sync"

	"dargah.dev/dargah/internal/operator"
)

// mostGathered is how many receipts, or arrivals, are stored together.
const mostGathered = 512

// errGone is the answer to what comes after the end.
var errGone = errors.New("the process is ending")

// Inbox stores what operators bring.
type Inbox interface {
	Lates(ctx context.Context, all []operator.Late) error
	Receipts(ctx context.Context, all []operator.Receipt) error
	Arrivals(ctx context.Context, all []operator.Arrival) error
}

// Sink is an operator.Sink that has many share a transaction: while one is
// written the next gathers. It is for all operators of a process.
type Sink struct {
	lates    gathering[operator.Late]
	receipts gathering[operator.Receipt]
	arrivals gathering[operator.Arrival]
	stop     context.CancelFunc
	running  sync.WaitGroup
}

var _ operator.Sink = (*Sink)(nil)

// NewSink begins to store.
func NewSink(to Inbox) *Sink {
	ctx, stop := context.WithCancel(context.Background())
	s := &Sink{stop: stop, lates: newGathering(to.Lates), receipts: newGathering(to.Receipts), arrivals: newGathering(to.Arrivals)}
	s.running.Go(func() { s.lates.run(ctx) })
	s.running.Go(func() { s.receipts.run(ctx) })
	s.running.Go(func() { s.arrivals.run(ctx) })
	return s
}

// Late returns when the answer is durable.
func (s *Sink) Late(ctx context.Context, l operator.Late) error { return s.lates.put(ctx, l) }

// Receipt returns when the receipt is durable.
func (s *Sink) Receipt(ctx context.Context, r operator.Receipt) error { return s.receipts.put(ctx, r) }

// Arrival returns when the message is durable.
func (s *Sink) Arrival(ctx context.Context, a operator.Arrival) error { return s.arrivals.put(ctx, a) }

// Close ends it. The operators are closed before.
func (s *Sink) Close() {
	s.stop()
	s.running.Wait()
}

type gathering[T any] struct {
	write func(context.Context, []T) error
	in    chan item[T]
	done  chan struct{}
}

type item[T any] struct {
	value T
	err   chan error // takes one
}

func newGathering[T any](write func(context.Context, []T) error) gathering[T] {
	return gathering[T]{write: write, in: make(chan item[T], mostGathered), done: make(chan struct{})}
}

// put returns what became of it. When the context ends first, it may still be
// stored: it is not said to be.
func (g *gathering[T]) put(ctx context.Context, value T) error {
	i := item[T]{value, make(chan error, 1)}
	select {
	case g.in <- i:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-g.done:
		return errGone
	}
	select {
	case err := <-i.err:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-g.done:
		return errGone
	}
}

func (g *gathering[T]) run(ctx context.Context) {
	defer close(g.done)
	var group []item[T]
	var values []T
	for {
		select {
		case first := <-g.in:
			group = append(group[:0], first)
		case <-ctx.Done():
			return
		}
		for len(group) < mostGathered && len(g.in) > 0 {
			group = append(group, <-g.in)
		}
		values = values[:0]
		for _, i := range group {
			values = append(values, i.value)
		}
		g.store(ctx, group, values)
	}
}

// store writes a group, or where that fails each by itself: one that cannot be
// stored must not keep the others out.
func (g *gathering[T]) store(ctx context.Context, group []item[T], values []T) {
	err := g.write(ctx, values)
	for n, i := range group {
		if err != nil && len(group) > 1 {
			i.err <- g.write(ctx, values[n:n+1])
			continue
		}
		i.err <- err
	}
}
