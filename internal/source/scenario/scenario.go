// Package scenario owns faults on demand: a sandbox's rules that make a source
// fail for chosen questions, so that every failure can be reproduced.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry"
)

// Rule says what happens to questions of a service that match.
type Rule struct {
	Service string            `json:"service"`
	When    map[string]string `json:"when"` // field → canonical value; all must match; empty matches every question
	Fault   string            `json:"fault"`
	After   time.Duration     `json:"after,omitempty"` // how long "slow" waits
	Times   int               `json:"times,omitempty"` // how often it happens; 0 is always
}

// slow is the one kind that is a delay and not a fault.
const slow = "slow"

var faults = map[string]fault.Code{
	"not-found":            fault.NotFound,
	"upstream-timeout":     fault.SourceTimeout,
	"upstream-unavailable": fault.SourceUnavailable,
	"internal":             fault.Internal,
}

// errScripted marks in the log that a failure was asked for.
var errScripted = errors.New("a scenario of the sandbox")

// Set is a list of rules with their counts, which live as long as the process.
// It is safe for concurrent use.
type Set struct{ rules atomic.Pointer[[]*rule] }

type rule struct {
	Rule
	left atomic.Int64
}

// New checks the rules. Several may match one question: they happen in their
// order, each as often as it says.
func New(rules []Rule) (*Set, error) {
	s := &Set{}
	return s, s.Put(rules)
}

// Put checks rules and brings them into force in the place of those before. A
// rule that was there goes on counting.
func (s *Set) Put(rules []Rule) error {
	var before []*rule
	if p := s.rules.Load(); p != nil {
		before = slices.Clone(*p)
	}
	next := make([]*rule, 0, len(rules))
	for _, r := range rules {
		if _, known := faults[r.Fault]; !known && r.Fault != slow {
			return fmt.Errorf("scenario for %s: %q is no fault", r.Service, r.Fault)
		}
		if i := slices.IndexFunc(before, func(b *rule) bool { return b.same(r) }); i >= 0 {
			next = append(next, before[i])
			before = slices.Delete(before, i, i+1) // of two that are the same each has its own count
			continue
		}
		counted := &rule{Rule: r}
		counted.left.Store(int64(r.Times))
		next = append(next, counted)
	}
	s.rules.Store(&next)
	return nil
}

func (r *rule) same(other Rule) bool {
	return r.Service == other.Service && r.Fault == other.Fault && r.After == other.After && r.Times == other.Times &&
		maps.Equal(r.When, other.When)
}

// Play makes happen what the rules say about the question: a fault, a delay,
// or nothing.
func (s *Set) Play(ctx context.Context, service string, q inquiry.Question) error {
	for _, r := range *s.rules.Load() {
		if r.Service != service || !r.matches(q) || !r.take() {
			continue
		}
		if r.Fault != slow {
			return fault.Wrap(faults[r.Fault], errScripted)
		}
		if err := wait(ctx, r.After); err != nil {
			return err
		}
	}
	return nil
}

// Plays tells whether any rule is about the question, used up or not.
func (s *Set) Plays(service string, q inquiry.Question) bool {
	return slices.ContainsFunc(*s.rules.Load(), func(r *rule) bool { return r.Service == service && r.matches(q) })
}

func (r *rule) matches(q inquiry.Question) bool {
	several, _ := q.(severalValued)
	for name, want := range r.When {
		if several != nil && several.Has(name, want) {
			continue
		}
		if got, has := q.Field(name); !has || got != want {
			return false
		}
	}
	return true
}

// severalValued is a question that may have more than one value of a field, as
// an order of messages has recipients: any of them matches.
type severalValued interface {
	Has(name, value string) bool
}

// take uses the rule once; false when it is used up.
func (r *rule) take() bool {
	return r.Times == 0 || r.left.Add(-1) >= 0
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.SourceTimeout, errScripted)
	}
}

// Wrap puts the rules in front of each source of a service. A question that a
// rule is about counts as one that goes outside, as it would to the upstream
// whose failure is played: its price is reserved, and released or settled.
func Wrap[Q inquiry.Question, A any](s *Set, service string, sources []inquiry.Source[Q, A]) []inquiry.Source[Q, A] {
	wrapped := slices.Clone(sources)
	for i, inner := range sources {
		wrapped[i].Ask = func(ctx context.Context, q Q) (A, error) {
			if err := s.Play(ctx, service, q); err != nil {
				var none A
				return none, err
			}
			return inner.Ask(ctx, q)
		}
		wrapped[i].Outside = func(q Q) bool {
			return s.Plays(service, q) || inner.Outside != nil && inner.Outside(q)
		}
	}
	return wrapped
}
