package cluster_test

import (
	"bytes"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/limit"
	"dargah.dev/dargah/internal/seal"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
)

// text is a log to read.
type text struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// keys are those of an installation of the test's own.
func keys(t testing.TB) *seal.Keyring { return open(t).Keyring() }

func open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), storetest.Folder(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func connect(t testing.TB, url string, ring *seal.Keyring, log *text) *cluster.Redis {
	t.Helper()
	r, err := cluster.Connect(t.Context(), url, ring, event.New(log, slog.LevelDebug))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Wait(busy)
	return r
}

// busy is how long a question may take where its time does not matter. It is
// below the pause that makes Redis slow, and enough for a busy machine.
const busy = 800 * time.Millisecond

// eventually waits until what is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); !so(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it never came about: %s", what)
		}
	}
}

// TestRedisAnswersLikeMemory lets both grant the same calls: what one of them
// grants the other must grant too, but for the moment between the two clocks.
func TestRedisAnswersLikeMemory(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	r := connect(t, server.URL(), keys(t), &text{})
	var number atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		var model limit.Memory
		key := "k" + string(rune('0'+number.Add(1)%10)) + rapid.StringMatching(`[a-z]{12}`).Draw(t, "key")
		rate := rapid.SampledFrom([]int{1, 2, 3, 5, 7, 60, 999}).Draw(t, "rate")
		interval := time.Second / time.Duration(rate)
		for _, giving := range rapid.SliceOfN(rapid.Bool(), 1, 3*min(rate, 60)).Draw(t, "gives") {
			if giving {
				model.Give(key, rate)
				r.Give(key, rate)
				continue
			}
			asked := time.Now()
			want, wantAfter := model.Take(key, rate)
			got, after, err := r.Take(key, rate)
			moment := max(50*time.Millisecond, 2*time.Since(asked))
			if err != nil {
				t.Fatalf("redis failed: %v", err)
			}
			switch {
			case want && !got && after < moment, !want && got && wantAfter < moment:
				return // the moment between the clocks; from here on they differ
			case want != got:
				t.Fatalf("rate %d: memory says %v %v, redis %v %v", rate, want, wantAfter, got, after)
			case !got && math.Abs(float64(after-wantAfter)) > float64(moment):
				t.Fatalf("rate %d: memory says after %v, redis after %v", rate, wantAfter, after)
			case after > interval:
				t.Fatalf("rate %d: after %v", rate, after)
			}
		}
	})
}

func TestContentionNeverExceedsTheBurst(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	ring := keys(t)
	nodes := []*cluster.Redis{connect(t, server.URL(), ring, &text{}), connect(t, server.URL(), ring, &text{})}
	const rate = 20
	began := time.Now()
	var granted atomic.Int64
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			for range 10 {
				ok, _, err := nodes[i%2].Take("a", rate)
				if err != nil {
					t.Error(err)
				}
				if ok {
					granted.Add(1)
				}
			}
		})
	}
	all.Wait()
	most := rate + int64(time.Since(began)/(time.Second/rate)) + 1
	if got := granted.Load(); got < rate || got > most {
		t.Errorf("%d of 400 calls at once were granted, want from %d to %d", got, rate, most)
	}
}

func TestInstallationsDoNotMeet(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	one, other := connect(t, server.URL(), keys(t), &text{}), connect(t, server.URL(), keys(t), &text{})
	if ok, _, _ := one.Take("a", 1); !ok {
		t.Fatal("refused")
	}
	if ok, _, _ := other.Take("a", 1); !ok {
		t.Error("another installation's call was counted")
	}
	if ok, _, _ := one.Take("a", 1); ok {
		t.Error("the own call was not counted")
	}
}

func TestLostKeysAndScriptsAreNoFailure(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	r := connect(t, server.URL(), keys(t), &text{})
	for range 3 {
		if ok, _, err := r.Take("a", 1); !ok || err != nil {
			t.Fatalf("%v, %v", ok, err)
		}
		server.Flush(t)
	}
}

// TestAwayAndBack goes through the ways in which Redis fails. No call may fail
// or wait for it, and it must come back by itself.
func TestAwayAndBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail, heal func(testing.TB, *throwaway.Redis)
	}{
		"stopped": {func(t testing.TB, s *throwaway.Redis) { s.Stop(t) }, func(t testing.TB, s *throwaway.Redis) { s.Start(t) }},
		"killed":  {func(t testing.TB, s *throwaway.Redis) { s.Kill(t) }, func(t testing.TB, s *throwaway.Redis) { s.Start(t) }},
		"slow":    {func(t testing.TB, s *throwaway.Redis) { s.Do(t, "CLIENT", "PAUSE", 2500) }, func(testing.TB, *throwaway.Redis) {}},
		"full": {
			func(t testing.TB, s *throwaway.Redis) { s.Do(t, "CONFIG", "SET", "maxmemory", "1") },
			func(t testing.TB, s *throwaway.Redis) { s.Do(t, "CONFIG", "SET", "maxmemory", "0") },
		},
		"read only": {
			func(t testing.TB, s *throwaway.Redis) { s.Do(t, "REPLICAOF", "127.0.0.1", "1") },
			func(t testing.TB, s *throwaway.Redis) { s.Do(t, "REPLICAOF", "NO", "ONE") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := throwaway.StartRedis(t)
			log := &text{}
			r := connect(t, server.URL(), keys(t), log)
			shared := &limit.Shared{Remote: r, Nodes: func() int { return 2 }}
			if ok, _ := shared.Take("before", 4); !ok || r.Away() {
				t.Fatalf("granted %v, away %v", ok, r.Away())
			}
			c.fail(t, server)
			granted, began := 0, time.Now()
			for range 10 {
				if ok, _ := shared.Take("during", 4); ok {
					granted++
				}
			}
			// A machine that is busy takes so long that more come due.
			if most := 2 + int(2*time.Since(began)/time.Second); !r.Away() || granted < 2 || granted > most {
				t.Errorf("away %v, and %d granted of a part of 2 to %d", r.Away(), granted, most)
			}
			c.heal(t, server)
			eventually(t, "redis is back", func() bool { return !r.Away() })
			granted, began = 0, time.Now()
			for range 10 {
				if ok, _ := shared.Take("after", 4); ok {
					granted++
				}
			}
			// A machine that is busy takes so long that more come due.
			if most := 4 + int(4*time.Since(began)/time.Second); granted < 4 || granted > most {
				t.Errorf("back, and %d granted of 4 to %d", granted, most)
			}
			if away, back := strings.Count(log.String(), "redis is away"), strings.Count(log.String(), "redis is back"); away != 1 || back != 1 {
				t.Errorf("told %d times that it is away and %d times that it is back:\n%s", away, back, log)
			}
		})
	}
}

func TestAbsentAtTheStartIsNoReasonNotToStart(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	server.Stop(t)
	r := connect(t, server.URL(), keys(t), &text{})
	if !r.Away() {
		t.Error("a server that is not there is not away")
	}
	server.Start(t)
	eventually(t, "redis is there", func() bool { return !r.Away() })
	if ok, _, err := r.Take("a", 1); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestPlainMistakesAreRefused(t *testing.T) {
	t.Parallel()
	const password = "made-up-pass"
	locked := throwaway.StartRedis(t, "--requirepass", password)
	ring := keys(t)
	host := strings.TrimSuffix(strings.TrimPrefix(locked.URL(), "redis://"), "/0")
	for name, url := range map[string]string{
		"no scheme":         "localhost:6379",
		"another scheme":    "http://localhost:6379",
		"bad database":      "redis://:" + password + "@localhost:6379/one",
		"no password":       "redis://" + host,
		"wrong password":    "redis://:not-" + password + "@" + host,
		"unknown user":      "redis://someone:" + password + "@" + host,
		"no such database":  "redis://:" + password + "@" + host + "/9999",
		"blank in password": "redis://:" + password + " @%zz",
	} {
		r, err := cluster.Connect(t.Context(), url, ring, nil)
		if err == nil {
			r.Close()
			t.Errorf("%s: accepted", name)
			continue
		}
		if !strings.Contains(err.Error(), "setting redis") || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := cluster.Connect(t.Context(), "redis://:"+password+"@"+host+"/1", ring, nil)
	if err != nil {
		t.Fatalf("the control, a right address: %v", err)
	}
	defer r.Close()
	if r.Away() {
		t.Error("the control is away")
	}
}

// TestNobodyWaitsForASlowRedis is about the deadline itself: a question is cut
// off, and the next is not even asked.
func TestNobodyWaitsForASlowRedis(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	r := connect(t, server.URL(), keys(t), &text{})
	r.Wait(cluster.Deadline)
	server.Do(t, "CLIENT", "PAUSE", 60_000)
	began := time.Now()
	for range 100 {
		if _, _, err := r.Take("a", 1); err == nil {
			t.Fatal("a paused server answers")
		}
		if !r.Away() {
			t.Fatal("the next question is asked all the same")
		}
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("100 calls waited %v for a server that is paused", took)
	}
}
