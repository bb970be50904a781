package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A bound is to be what context.WithDeadline gives, whenever somebody first
// waits for its end.
func TestABoundIsAContext(t *testing.T) {
	type key struct{}
	cases := map[string]struct {
		happens func(b *bound, parent context.CancelFunc)
		want    error
	}{
		"nothing":             {func(*bound, context.CancelFunc) {}, nil},
		"its time is over":    {func(*bound, context.CancelFunc) { time.Sleep(time.Minute) }, context.DeadlineExceeded}, //nolint:forbidigo // the bubble's clock,
		"the parent ends":     {func(_ *bound, parent context.CancelFunc) { parent() }, context.Canceled},
		"the call ends":       {func(b *bound, _ context.CancelFunc) { b.cancel() }, context.Canceled},
		"the call ends twice": {func(b *bound, _ context.CancelFunc) { b.cancel(); b.cancel() }, context.Canceled},
		"it ends before its time is over": {func(b *bound, _ context.CancelFunc) {
			b.cancel()
			time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
		}, context.Canceled},
	}
	for name, c := range cases {
		for when, waits := range map[string][2]bool{"nobody waits": {}, "somebody waits before": {true, false}, "somebody waits after": {false, true}} {
			t.Run(name+", "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
					defer cancel()
					b := &bound{Context: parent, until: time.Now().Add(deadline)}
					defer b.cancel()
					var child context.Context = b
					if waits[0] {
						var end context.CancelFunc
						child, end = context.WithCancel(b)
						defer end()
					}
					c.happens(b, cancel)
					synctest.Wait()
					if waits[1] {
						var end context.CancelFunc
						child, end = context.WithCancel(b)
						defer end()
						synctest.Wait()
					}
					for what, ctx := range map[string]context.Context{"it": b, "its child": child} {
						if err := ctx.Err(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
							t.Errorf("%s ended with %v, want %v", what, err, c.want)
						}
						if got := ctx.Value(key{}); got != "value" {
							t.Errorf("%s has the value %v", what, got)
						}
						if at, set := ctx.Deadline(); !set || !at.Equal(b.until) {
							t.Errorf("%s has the deadline %v, %v", what, at, set)
						}
						select {
						case <-ctx.Done():
							if c.want == nil {
								t.Errorf("%s is done", what)
							}
						default:
							if c.want != nil {
								t.Errorf("%s is not done", what)
							}
						}
					}
				})
			})
		}
	}
}

// What ends earlier than the bound is its end too.
func TestABoundWithinAnother(t *testing.T) {
	parent, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	b := &bound{Context: parent, until: time.Now().Add(deadline)}
	defer b.cancel()
	want, _ := parent.Deadline()
	if at, _ := b.Deadline(); !at.Equal(want) {
		t.Errorf("the deadline is %v, the parent's %v", at, want)
	}
}

// A call that nobody waits for is to cost no timer.
func TestABoundMakesNothingUnasked(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := &bound{Context: parent, until: time.Now().Add(deadline)}
	_ = b.Err()
	_ = b.Value("anything")
	_, _ = b.Deadline()
	if b.cancel(); b.armed != nil {
		t.Error("there is a timer")
	}
}
