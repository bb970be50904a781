// Package inquiry owns what all inquiries have in common: a question with
// named fields, and sources that answer it. What a certain inquiry asks and
// answers is in its own package below.
package inquiry

import (
	"context"
	"errors"
	"slices"

	"dargah.dev/dargah/internal/fault"
)

// Question is what is asked of a source.
type Question interface {
	// Field gives a value of the question by its common name (nationalCode,
	// birthDate, mobile, …) in canonical form; false if it has no such field.
	Field(name string) (string, bool)
}

// Source answers one kind of question.
type Source[Q Question, A any] struct {
	Name string // in the trail
	Ask  func(context.Context, Q) (A, error)
	// Outside tells whether asking this question leaves the process, and so can
	// be cut short with nobody knowing how far it went; nil: it never does.
	Outside func(Q) bool
}

// Outside tells whether any of the sources may take the question outside.
func Outside[Q Question, A any](sources []Source[Q, A], q Q) bool {
	return slices.ContainsFunc(sources, func(s Source[Q, A]) bool { return s.Outside != nil && s.Outside(q) })
}

// First asks the sources in order until one of them knows: an answer, or that
// there is none (fault.NotFound). A source that could not find out passes the
// question on; if none could, the last one's fault stands, so that "could not
// find out" never turns into "no". The name is of the source that decided.
func First[Q Question, A any](ctx context.Context, sources []Source[Q, A], q Q) (answer A, name string, err error) {
	if len(sources) == 0 {
		return answer, "", fault.Wrap(fault.SourceUnavailable, errors.New("no source is set up"))
	}
	for _, s := range sources {
		name = s.Name
		answer, err = s.Ask(ctx, q)
		if err == nil {
			break
		}
		if code := fault.From(err).Code; code != fault.SourceTimeout && code != fault.SourceUnavailable {
			break
		}
	}
	return answer, name, err
}
