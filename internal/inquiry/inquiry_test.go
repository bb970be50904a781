package inquiry_test

import (
	"context"
	"errors"
	"testing"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry"
)

type question struct{}

func (question) Field(string) (string, bool) { return "", false }

func source(name, answer string, err error) inquiry.Source[question, string] {
	return inquiry.Source[question, string]{Name: name, Ask: func(context.Context, question) (string, error) { return answer, err }}
}

// "Could not find out" passes the question on; "yes" and "no" never do.
func TestFirst(t *testing.T) {
	t.Parallel()
	down, late := fault.New(fault.SourceUnavailable), fault.New(fault.SourceTimeout)
	nobody, broken := fault.New(fault.NotFound), errors.New("disk")
	for name, c := range map[string]struct {
		sources []inquiry.Source[question, string]
		answer  string
		by      string
		want    fault.Code // 255: none
	}{
		"first answers":      {[]inquiry.Source[question, string]{source("a", "x", nil), source("b", "y", nil)}, "x", "a", 255},
		"first is down":      {[]inquiry.Source[question, string]{source("a", "", down), source("b", "y", nil)}, "y", "b", 255},
		"first is late":      {[]inquiry.Source[question, string]{source("a", "", late), source("b", "", nobody)}, "", "b", fault.NotFound},
		"no is an answer":    {[]inquiry.Source[question, string]{source("a", "", nobody), source("b", "y", nil)}, "", "a", fault.NotFound},
		"all are down":       {[]inquiry.Source[question, string]{source("a", "", late), source("b", "", down)}, "", "b", fault.SourceUnavailable},
		"ours is not theirs": {[]inquiry.Source[question, string]{source("a", "", broken), source("b", "y", nil)}, "", "a", fault.Internal},
		"none is set up":     {nil, "", "", fault.SourceUnavailable},
	} {
		answer, by, err := inquiry.First(context.Background(), c.sources, question{})
		if answer != c.answer || by != c.by || (c.want == 255) != (err == nil) || (err != nil && fault.From(err).Code != c.want) {
			t.Errorf("%s: %q by %q, %v", name, answer, by, err)
		}
	}
}
