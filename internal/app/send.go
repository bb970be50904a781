package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/dispatch"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/sandbox"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/store"
)

const (
	// drainFor is how long parts under way may still take at the end, and
	// closeFor how long message centres are given to say goodbye.
	drainFor = 5 * time.Second
	closeFor = 3 * time.Second
)

// sending is what brings messages to phones, and from them.
type sending struct {
	dispatcher *dispatch.Dispatcher
	sink       *dispatch.Sink
	operators  []operator.Operator
	sandbox    *sandbox.Operator // nil where there are others
}

// newSending opens the ways out. A sandbox has one without phones behind it
// where none is set; elsewhere messages wait in the queue.
func newSending(ctx context.Context, s *store.Store, o Options) (*sending, error) {
	state, err := State(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := s.Orphans(ctx, job.Send); err != nil {
		return nil, err
	}
	out := &sending{sink: dispatch.NewSink(s)}
	ways, err := out.open(s, o, state == Full)
	if err == nil {
		out.dispatcher, err = dispatch.New(dispatch.Options{Store: s, Ways: ways, Wake: s.Wake(job.Send), Log: o.Log, Now: o.Now})
	}
	if err != nil {
		return nil, errors.Join(err, out.close())
	}
	return out, nil
}

func (out *sending) open(s *store.Store, o Options, full bool) (ways []dispatch.Way, err error) {
	for _, c := range o.Config.Operators {
		opened, err := openOperator(c, out.sink, o.Log)
		if err != nil {
			return nil, err
		}
		out.operators = append(out.operators, opened)
		way := dispatch.Way{Operator: opened, Prefixes: c.Prefixes}
		for _, line := range c.Lines {
			way.Lines = append(way.Lines, account.LineKey(line))
		}
		ways = append(ways, way)
	}
	if len(ways) > 0 || !full {
		return ways, nil
	}
	out.sandbox = sandbox.New(sandbox.Options{
		Sink: out.sink, Log: o.Log, Now: o.Now,
		Open: func(ctx context.Context) ([]string, error) { return s.OpenParts(ctx, sandbox.Name) },
	})
	out.operators = append(out.operators, out.sandbox)
	return []dispatch.Way{{Operator: out.sandbox}}, nil
}

func openOperator(c config.Operator, sink operator.Sink, log *event.Log) (operator.Operator, error) {
	if err := CheckOperator(c); err != nil {
		return nil, fmt.Errorf("operator %s: %w", c.Name, err)
	}
	return smpp.New(smppSettings(c), sink, log)
}

// degraded says in a few words what is wrong with the ways out.
func (out *sending) degraded() string {
	if len(out.operators) > 0 && !out.dispatcher.Ready() {
		return "no operator takes messages: they wait"
	}
	return ""
}

// close ends the ways out after what is under way has come to its end.
func (out *sending) close() error {
	var failed []error
	if out.dispatcher != nil {
		ctx, cancel := context.WithTimeout(context.Background(), drainFor)
		failed = append(failed, out.dispatcher.Drain(ctx))
		cancel()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeFor)
	defer cancel()
	for _, o := range out.operators {
		failed = append(failed, o.Close(ctx))
	}
	out.sink.Close()
	return errors.Join(failed...)
}

// deliveries are the scripts that say what becomes of messages.
func deliveries(scripts []Script) (rules []sandbox.Rule) {
	for _, s := range scripts {
		if s.Delivery != "" {
			rules = append(rules, sandbox.Rule{When: s.When, Delivery: s.Delivery, After: s.After, Times: s.Times})
		}
	}
	return rules
}
