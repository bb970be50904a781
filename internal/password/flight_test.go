package password

import (
	"context"
	"testing"
	"testing/synctest"

	"dargah.dev/dargah/internal/fault"
)

// TestWhoHangsUpTakesNobodyAlong: the first of those who ask the same hangs up
// while it waits for a slot; the others get their answer.
func TestWhoHangsUpTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(Cost{Memory: 64, Time: 1})
		defer g.known.StopAllGoroutines()
		hash := g.Hash("Passw0rd-1234")
		for range cap(g.slots) {
			g.slots <- struct{}{}
		}
		ctx, hangUp := context.WithCancel(t.Context())
		first, others := make(chan error, 1), make(chan bool, 3)
		go func() {
			_, err := g.Check(ctx, "name", hash, "Passw0rd-1234")
			first <- err
		}()
		synctest.Wait()
		for range cap(others) {
			go func() {
				right, err := g.Check(t.Context(), "name", hash, "Passw0rd-1234")
				others <- right && err == nil
			}()
		}
		synctest.Wait()
		hangUp()
		if err := <-first; fault.From(err).Code != fault.Busy {
			t.Errorf("who hung up got %v", err)
		}
		<-g.slots
		for range cap(others) {
			if !<-others {
				t.Error("one who stayed on got no yes")
			}
		}
	})
}
