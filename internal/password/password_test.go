package password_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/password"
)

// cheap keeps tests quick; the work is the same code.
var cheap = password.Cost{Memory: 64, Time: 1}

func TestCheck(t *testing.T) {
	t.Parallel()
	g := password.New(cheap)
	hash := g.Hash("Passw0rd-1234")
	for name, c := range map[string]struct {
		hash, given string
		want        bool
	}{
		"right":           {hash, "Passw0rd-1234", true},
		"wrong":           {hash, "Passw0rd-1235", false},
		"empty":           {hash, "", false},
		"no such user":    {"", "Passw0rd-1234", false},
		"too long":        {hash, strings.Repeat("x", password.MaxLength+1), false},
		"blank after it":  {hash, "Passw0rd-1234 ", false},
		"persian letters": {g.Hash("گذرواژه\u200cی بلند"), "گذرواژه\u200cی بلند", true},
	} {
		for range 2 { // the second time a right one comes from memory
			got, err := g.Check(context.Background(), "name", c.hash, c.given)
			if err != nil || got != c.want {
				t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
			}
		}
	}
}

func TestMemoryHoldsOnlyTheHashItChecked(t *testing.T) {
	t.Parallel()
	g := password.New(cheap)
	old, fresh := g.Hash("Passw0rd-1234"), g.Hash("another-one-77")
	if ok, _ := g.Check(context.Background(), "name", old, "Passw0rd-1234"); !ok {
		t.Fatal("the right password is refused")
	}
	if ok, _ := g.Check(context.Background(), "name", fresh, "Passw0rd-1234"); ok {
		t.Error("a changed password still accepts the old one")
	}
}

func TestDamagedHashIsOurFault(t *testing.T) {
	t.Parallel()
	g := password.New(cheap)
	good := g.Hash("x")
	for name, hash := range map[string]string{
		"no phc":         "plain",
		"other kind":     strings.Replace(good, "argon2id", "argon2i", 1),
		"huge memory":    strings.Replace(good, "m=64", "m=4194304", 1),
		"no passes":      strings.Replace(good, "t=1", "t=0", 1),
		"broken salt":    strings.Replace(good, "p=1$", "p=1$*", 1),
		"truncated hash": good[:len(good)-40],
	} {
		ok, err := g.Check(context.Background(), "name", hash, "x")
		if ok || err == nil || fault.From(err).Code != fault.Internal {
			t.Errorf("%s: %v, %v; want an internal fault", name, ok, err)
		}
	}
}

// TestTheSameAtOnceIsOneCheck: the queue has room for a few, and all are
// answered. Users who do not exist are no exception, or their name would show.
func TestTheSameAtOnceIsOneCheck(t *testing.T) {
	t.Parallel()
	g := password.New(password.Cost{}) // the real cost, so that they meet
	hash := g.Hash("Passw0rd-1234")
	for name, c := range map[string]struct {
		hash, given string
		want        bool
	}{
		"right":        {hash, "Passw0rd-1234", true},
		"wrong":        {hash, "Passw0rd-1235", false},
		"no such user": {"", "Passw0rd-1234", false},
	} {
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				<-start
				if got, err := g.Check(context.Background(), "name", c.hash, c.given); err != nil || got != c.want {
					t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
				}
			})
		}
		close(start)
		wg.Wait()
	}
}

func TestFloodIsShedNotQueued(t *testing.T) {
	t.Parallel()
	g := password.New(password.Cost{}) // the real cost, so that the queue fills
	var busy, wrong atomic.Int64
	var wg sync.WaitGroup
	for i := range 100 { // of one name they would be one check
		wg.Go(func() {
			switch ok, err := g.Check(context.Background(), strconv.Itoa(i), "", "x"); {
			case err != nil && fault.From(err).Code == fault.Busy:
				busy.Add(1)
			case err == nil && !ok:
				wrong.Add(1)
			default:
				t.Errorf("unexpected: %v, %v", ok, err)
			}
		})
	}
	wg.Wait()
	if busy.Load() == 0 || wrong.Load() == 0 {
		t.Errorf("%d shed, %d checked; want some of both", busy.Load(), wrong.Load())
	}
}
