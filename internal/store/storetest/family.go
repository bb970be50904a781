package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/token"
)

// clock is a time that tests move.
type clock struct{ us atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.us.Store(1_750_000_000_000_000)
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.us.Load()).UTC() }
func (c *clock) forward(d time.Duration) { c.us.Add(d.Microseconds()) }

// rotate is the end of a call that shows a refresh token.
func rotate(c *clock, family string, generation int64) closing.Closing {
	end := Charge("r", "a0", 0)
	end.Rotation = &token.Rotation{Family: family, Generation: generation, Expires: c.now().Add(30 * token.Day)}
	return end
}

func rotation(t *testing.T, place Place) {
	c := newClock()
	s := Must(t, place, store.Options{Now: c.now})
	Fund(t, s, 0)
	type show struct {
		after      time.Duration
		generation int64
		good       bool
	}
	for name, shows := range map[string][]show{
		"one after the other":          {{0, 0, true}, {time.Hour, 1, true}, {time.Hour, 2, true}},
		"again within the grace":       {{0, 0, true}, {token.Grace, 0, true}, {0, 1, true}},
		"again after the grace":        {{0, 0, true}, {token.Grace + time.Microsecond, 0, false}, {0, 1, false}},
		"grace is not drawn out":       {{0, 0, true}, {token.Grace, 0, true}, {time.Second, 0, false}},
		"two generations back":         {{0, 0, true}, {0, 1, true}, {0, 0, false}, {0, 2, false}},
		"one that was not made yet":    {{0, 1, false}, {0, 0, false}},
		"the clock was set back":       {{0, 0, true}, {-time.Hour, 0, true}, {0, 1, true}},
		"dead stays dead in the grace": {{0, 0, true}, {0, 1, true}, {0, 0, false}, {0, 1, false}},
	} {
		for i, show := range shows {
			c.forward(show.after)
			err := s.Commit(t.Context(), rotate(c, name, show.generation))
			if show.good && err != nil || !show.good && !refused(err, fault.Grant) {
				t.Errorf("%s: show %d: %v", name, i, err)
			}
			if s.Dead(name) == show.good {
				t.Errorf("%s: show %d: dead is %v", name, i, s.Dead(name))
			}
		}
	}
}

func parallelRotation(t *testing.T, place Place) {
	c := newClock()
	s := Must(t, place, store.Options{Now: c.now, GroupMax: 32})
	Fund(t, s, 0)
	showAll := func() (good int) {
		for _, err := range Together(100, func(int) error { return s.Commit(t.Context(), rotate(c, "f", 0)) }) {
			if err == nil {
				good++
			} else if !refused(err, fault.Grant) {
				t.Fatal(err)
			}
		}
		return good
	}
	if good := showAll(); good != 100 || s.Dead("f") {
		t.Fatalf("of 100 at once %d were answered, dead is %v", good, s.Dead("f"))
	}
	// All of them got the one successor: generation 1 is current, and 2 is not.
	ok(t, s.Commit(t.Context(), rotate(c, "f", 1)))
	if good := showAll(); good != 0 || !s.Dead("f") {
		t.Fatalf("a token that was used up was taken %d times of 100, dead is %v", good, s.Dead("f"))
	}
	_, records := history(t, s, "a0")
	refusals := 0
	for _, r := range records {
		if r.Outcome == fault.Grant.String() {
			refusals++
		}
	}
	if len(records) != 201 || refusals != 100 {
		t.Errorf("%d records, %d of them refusals, want 201 and 100", len(records), refusals)
	}
}

func rotationWithoutCredit(t *testing.T, place Place) {
	c := newClock()
	s := Must(t, place, store.Options{Now: c.now})
	Fund(t, s, 10)
	priced := func(call string, generation int64, price rial.Amount) error {
		end := rotate(c, "f", generation)
		charge := Charge(call, "a0", price)
		end.Record, end.Charge = charge.Record, charge.Charge
		return s.Commit(t.Context(), end)
	}
	if err := priced("dear", 0, 11); !refused(err, fault.Credit) {
		t.Fatal(err)
	}
	c.forward(time.Hour) // beyond any grace: had it rotated, the token would be used up
	ok(t, priced("cheap", 0, 4))
	c.forward(time.Hour)
	if err := priced("reuse", 0, 4); !refused(err, fault.Grant) {
		t.Fatal(err)
	}
	if Balance(t, s, "a0") != 6 {
		t.Errorf("balance %d, want 6", Balance(t, s, "a0"))
	}
}

// forgottenFamilies opens the store again and again, which sweeps. A family is
// known to be used while its tokens could be shown, a dead one as long as any
// access token of it could.
func forgottenFamilies(t *testing.T, place Place) {
	c := newClock()
	s := Must(t, place, store.Options{Now: c.now})
	Fund(t, s, 0)
	for _, family := range []string{"shown early", "shown late"} {
		ok(t, s.Commit(t.Context(), rotate(c, family, 0)))
	}
	if err := s.Commit(t.Context(), rotate(c, "stolen", 7)); !refused(err, fault.Grant) {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after        time.Duration
		show         string
		known        bool
		stolenIsDead bool
	}{
		{29 * token.Day, "shown early", true, true},
		{300 * token.Day, "shown late", false, true},
		{100 * token.Day, "shown late", false, false},
	} {
		Close(t, s)
		c.forward(step.after)
		s = Must(t, place, store.Options{Now: c.now})
		if s.Dead("stolen") != step.stolenIsDead {
			t.Errorf("%v later: dead is %v", step.after, s.Dead("stolen"))
		}
		if err := s.Commit(t.Context(), rotate(c, step.show, 0)); refused(err, fault.Grant) != step.known {
			t.Errorf("%v later, a used token: %v", step.after, err)
		}
	}
}

func reopen(t *testing.T, place Place) {
	c := newClock()
	s := Must(t, place, store.Options{Now: c.now})
	Fund(t, s, 100, 50)
	ok(t, s.Commit(t.Context(), Charge("c1", "a0", 30)))
	ok(t, s.Commit(t.Context(), rotate(c, "alive", 0)))
	if err := s.Commit(t.Context(), rotate(c, "dead", 3)); !refused(err, fault.Grant) {
		t.Fatal(err)
	}
	hash := s.Keyring().Hash("test", "value")
	Close(t, s)

	s = Must(t, place, store.Options{Now: c.now})
	if Balance(t, s, "a0") != 70 || Balance(t, s, "a1") != 50 || !s.Dead("dead") || s.Dead("alive") {
		t.Errorf("balances %d and %d, dead %v and %v", Balance(t, s, "a0"), Balance(t, s, "a1"), s.Dead("dead"), s.Dead("alive"))
	}
	if string(s.Keyring().Hash("test", "value")) != string(hash) {
		t.Error("the keyed hash is another one")
	}
	ok(t, s.Commit(t.Context(), Charge("c1", "a0", 30))) // still once
	ok(t, s.Commit(t.Context(), rotate(c, "alive", 1)))
	if err := s.Commit(t.Context(), rotate(c, "dead", 0)); !refused(err, fault.Grant) {
		t.Errorf("the dead family: %v", err)
	}
	Balanced(t, s, "a0")
	if Balance(t, s, "a0") != 70 {
		t.Errorf("balance %d", Balance(t, s, "a0"))
	}
}
