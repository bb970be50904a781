package main

import (
	"errors"
	"testing"
)

func TestLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, after ticks
		want          float64
	}{
		{ticks{1000, 10}, ticks{1200, 60}, 0.25},
		{ticks{1000, 10}, ticks{1200, 10}, 0},
		{ticks{}, ticks{}, 0},
	} {
		if got := c.after.lost(c.before); got != c.want {
			t.Errorf("%v after %v: %v, want %v", c.after, c.before, got, c.want)
		}
	}
}

func TestCalm(t *testing.T) {
	t.Parallel()
	wrong := errors.New("no answer")
	if _, _, err := calm(5, func() (result, error) { return result{}, wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
	r, _, err := calm(5, func() (result, error) { return result{rate: 7}, nil })
	if r.rate != 7 || err != nil {
		t.Errorf("%v, %v", r, err)
	}
}
