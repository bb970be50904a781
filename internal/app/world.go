package app

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"dargah.dev/dargah/internal/operator/sandbox"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/source/scenario"
	"dargah.dev/dargah/internal/store"
)

// world is what an installation says about itself besides its accounts. It may
// be read anew while calls are answered from it.
type world struct {
	scenarios scenario.Set
	sandbox   *sandbox.Operator // nil where messages go elsewhere
	now       atomic.Pointer[tables]
}

type tables struct {
	origins []string
	prices  map[string]int64
}

func (w *world) price(service string) rial.Amount { return rial.Amount(w.now.Load().prices[service]) }

func (w *world) origins() []string { return w.now.Load().origins }

// read brings what is stored into force; on an error what was in force stays.
func (w *world) read(ctx context.Context, s *store.Store) error {
	var next tables
	var err error
	if next.origins, err = Origins(ctx, s); err != nil {
		return err
	}
	if next.prices, err = s.Prices(ctx); err != nil {
		return fmt.Errorf("read the prices: %w", err)
	}
	scripts, err := Scripts(ctx, s)
	if err != nil {
		return err
	}
	if err := w.scenarios.Put(faults(scripts)); err != nil {
		return err
	}
	if w.sandbox != nil {
		if err := w.sandbox.Put(deliveries(scripts)); err != nil {
			return err
		}
	}
	w.now.Store(&next)
	return nil
}

// Script is a scenario as it is stored. One with a Delivery is of messages, and
// has no fault.
type Script struct {
	scenario.Rule
	Delivery string `json:"delivery,omitempty"`
}

// faults are the scripts that make questions fail.
func faults(scripts []Script) (rules []scenario.Rule) {
	for _, s := range scripts {
		if s.Fault != "" {
			rules = append(rules, s.Rule)
		}
	}
	return rules
}

// Origins gives the browser origins that may call.
func Origins(ctx context.Context, s *store.Store) ([]string, error) {
	text, ok, err := s.Setting(ctx, settingOrigins)
	if err != nil || !ok {
		return nil, err
	}
	return decode[[]string]("origins", []byte(text))
}

// Scripts gives the scenarios, in their order.
func Scripts(ctx context.Context, s *store.Store) ([]Script, error) {
	text, err := s.Secret(ctx, secretScenarios, func() []byte { return []byte("null") })
	if err != nil {
		return nil, fmt.Errorf("read the scenarios: %w", err)
	}
	return decode[[]Script]("scenarios", text)
}

// decode reads what was stored as JSON. Scenarios name people, and the
// library's errors quote.
func decode[T any](what string, text []byte) (v T, err error) {
	if json.Unmarshal(text, &v) != nil {
		return v, fmt.Errorf("the stored %s cannot be read", what)
	}
	return v, nil
}

// blockList is who gets nothing from which line. It may be read anew while
// messages are accepted.
type blockList struct{ now atomic.Pointer[store.Blocks] }

func (b *blockList) Has(line string, recipient persian.Mobile) bool {
	return b.now.Load().Has(line, recipient)
}
