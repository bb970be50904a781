package scenario_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry"
	"dargah.dev/dargah/internal/source/scenario"
)

type question map[string]string

func (q question) Field(name string) (string, bool) { v, ok := q[name]; return v, ok }

func ask(t *testing.T, s *scenario.Set, service string, q question) (string, fault.Code) {
	t.Helper()
	sources := scenario.Wrap(s, service, []inquiry.Source[question, string]{{
		Name: "register", Ask: func(context.Context, question) (string, error) { return "answer", nil },
	}})
	answer, err := sources[0].Ask(context.Background(), q)
	if err != nil {
		return "", fault.From(err).Code
	}
	return answer, 255
}

func TestRulesMatchOnEveryField(t *testing.T) {
	t.Parallel()
	s, err := scenario.New([]scenario.Rule{
		{Service: "person", When: map[string]string{"nationalCode": "1", "birthDate": "2"}, Fault: "not-found"},
		{Service: "person", When: map[string]string{"nationalCode": "3"}, Fault: "upstream-timeout"},
		{Service: "credit", Fault: "internal"},
		{Service: "person", When: map[string]string{"mobile": "5"}, Fault: "upstream-unavailable"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		service string
		q       question
		want    fault.Code
	}{
		{"person", question{"nationalCode": "1", "birthDate": "2"}, fault.NotFound},
		{"person", question{"nationalCode": "1", "birthDate": "9"}, 255},
		{"person", question{"nationalCode": "3", "birthDate": "9"}, fault.SourceTimeout},
		{"person", question{"nationalCode": "5"}, 255},
		{"person", question{"mobile": "5"}, fault.SourceUnavailable},
		{"credit", question{}, fault.Internal},
		{"iban", question{"nationalCode": "3"}, 255},
	} {
		if _, got := ask(t, s, c.service, c.q); got != c.want {
			t.Errorf("%s %v: %v, want %v", c.service, c.q, got, c.want)
		}
	}
}

func TestTimesRunOut(t *testing.T) {
	t.Parallel()
	s, err := scenario.New([]scenario.Rule{
		{Service: "person", Fault: "upstream-unavailable", Times: 2},
		{Service: "person", Fault: "upstream-timeout", Times: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []fault.Code{fault.SourceUnavailable, fault.SourceUnavailable, fault.SourceTimeout, 255, 255} {
		if _, got := ask(t, s, "person", nil); got != want {
			t.Errorf("call %d: %v, want %v", i, got, want)
		}
	}
}

func TestSlowWaitsAndThenAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := scenario.New([]scenario.Rule{{Service: "person", Fault: "slow", After: 3 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if answer, code := ask(t, s, "person", nil); answer != "answer" || time.Since(start) != 3*time.Second {
			t.Errorf("%q, %v after %v", answer, code, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.Play(ctx, "person", question{}); fault.From(err).Code != fault.SourceTimeout {
			t.Errorf("a caller with less patience: %v", err)
		}
	})
}

func TestUnknownFaultIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := scenario.New([]scenario.Rule{{Service: "person", Fault: "upstream-tired"}}); err == nil {
		t.Error("accepted")
	}
}

// Rules that are put again must not begin to count anew: a change of one would
// otherwise make the others happen again.
func TestPutKeepsCounts(t *testing.T) {
	t.Parallel()
	once := scenario.Rule{Service: "person", Fault: "not-found", Times: 1}
	other := scenario.Rule{Service: "credit", Fault: "not-found", Times: 1}
	set, err := scenario.New([]scenario.Rule{once, once})
	if err != nil {
		t.Fatal(err)
	}
	happens := func(service string, want bool) {
		t.Helper()
		if err := set.Play(t.Context(), service, question{}); (err != nil) != want {
			t.Errorf("%s: %v", service, err)
		}
	}
	put := func(rules ...scenario.Rule) {
		t.Helper()
		if err := set.Put(rules); err != nil {
			t.Fatal(err)
		}
	}
	happens("person", true)
	put(other, once, once)
	happens("person", true)
	happens("person", false)
	happens("credit", true)
	if err := set.Put([]scenario.Rule{{Service: "person", Fault: "flood"}}); err == nil {
		t.Error("an unknown fault was taken")
	}
	put(once) // one of two that are used up is gone
	happens("person", false)
	put()
	put(once)
	happens("person", true)
}

// crowd has many values of its one field.
type crowd []string

func (c crowd) Field(string) (string, bool) { return "", false }
func (c crowd) Has(name, value string) bool { return name == "recipient" && slices.Contains(c, value) }

func TestAnyOfSeveralValuesMatches(t *testing.T) {
	t.Parallel()
	set, err := scenario.New([]scenario.Rule{{Service: "sms", When: map[string]string{"recipient": "b"}, Fault: "upstream-timeout"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		q    crowd
		want bool
	}{{crowd{"a", "b"}, true}, {crowd{"b"}, true}, {crowd{"a", "c"}, false}, {nil, false}} {
		if err := set.Play(t.Context(), "sms", c.q); (err != nil) != c.want || set.Plays("sms", c.q) != c.want {
			t.Errorf("%v: %v", c.q, err)
		}
	}
}
