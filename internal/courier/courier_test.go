package courier_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/courier"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/webhook"
)

type clock struct{ us atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.us.Store(1_790_000_000_000_000)
	return c
}

func (c *clock) now() time.Time           { return time.UnixMicro(c.us.Load()).UTC() }
func (c *clock) forward(by time.Duration) { c.us.Add(by.Microseconds()) }

// books are the store's, and tell the test what was put on record.
type books struct {
	*store.Store
	tried chan webhook.Try
	given chan string // webhooks that were given up
	// lose has the records of attempts lost on their way, as a crash would.
	lose atomic.Bool
}

var errLost = errors.New("lost")

func (b *books) GiveUpWebhook(ctx context.Context, id string) error {
	err := b.Store.GiveUpWebhook(ctx, id)
	if err == nil {
		b.given <- id
	}
	return err
}

func (b *books) Tried(ctx context.Context, holder string, tries []webhook.Try) ([]string, error) {
	if b.lose.Load() {
		return nil, errLost
	}
	hopeless, err := b.Store.Tried(ctx, holder, tries)
	for _, t := range tries {
		select {
		case b.tried <- t:
		default: // nobody looks
		}
	}
	return hopeless, err
}

// world is a store whose account a0 has webhooks, and a time that the test moves.
type world struct {
	*clock
	*books
	t *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := newClock()
	dir := t.TempDir()
	s := storetest.Must(t, func(o store.Options) (*store.Store, error) { return store.Open(t.Context(), store.Folder(dir), o) }, store.Options{Now: c.now})
	storetest.Fund(t, s, 1)
	return &world{clock: c, t: t, books: &books{Store: s, tried: make(chan webhook.Try, 1<<12), given: make(chan string, 8)}}
}

func (w *world) change(do func(*store.Change) error) {
	w.t.Helper()
	if err := w.Change(w.t.Context(), store.Act{Actor: "tester", Service: "webhook", Method: "set"}, do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) hook(id, url string) webhook.Webhook {
	w.t.Helper()
	h := storetest.Hook(id, url)
	w.change(func(c *store.Change) error { return c.AddWebhook(h) })
	return h
}

// happen puts down n notices.
func (w *world) happen(hook string, n int) {
	w.t.Helper()
	w.change(func(c *store.Change) error {
		for range n {
			if _, err := c.TestNotice(hook); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) start() *courier.Courier { return w.logging(&event.Log{}) }

func (w *world) logging(log *event.Log) *courier.Courier {
	w.t.Helper()
	c, err := courier.Start(w.t.Context(), w.books, courier.Options{Rules: open, Names: sms.NewNames([32]byte{}), Log: log, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// closed ends a courier with the test.
func (w *world) closed(c *courier.Courier) *courier.Courier {
	w.t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		c.Close(ctx)
	})
	return c
}

// got is what a receiver was sent.
type got struct {
	header http.Header
	body   []byte
}

func receive(t *testing.T, status func() int) (url string, all chan got) {
	t.Helper()
	all = make(chan got, 1<<14)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status())
		all <- got{r.Header.Clone(), body}
	}), all
}

func fine() int { return http.StatusNoContent }

// verify is what a receiver does, written from the text of Standard Webhooks
// alone.
func verify(secret string, g got, now time.Time) error {
	id, at := g.header.Get("webhook-id"), g.header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" {
		return errors.New("headers are missing")
	}
	if age := now.Unix() - seconds; age > 300 || age < -300 {
		return errors.New("too old, or from the future")
	}
	key, err := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "." + string(g.body)))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, one := range strings.Fields(g.header.Get("webhook-signature")) {
		if version, signature, ok := strings.Cut(one, ","); ok && version == "v1" && hmac.Equal([]byte(signature), []byte(want)) {
			return nil
		}
	}
	return errors.New("no signature is good")
}

// TestReceiversCanVerify (HOOK-2): what was sent, by either secret while both
// are good, and nothing that was changed.
func TestReceiversCanVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url, all := receive(t, fine)
	h := w.hook("h1", url)
	second := webhook.NewSecret()
	w.change(func(c *store.Change) error {
		return c.SetWebhook("h1", func(h *webhook.Webhook) { h.Former, h.FormerUntil, h.Secret = h.Secret, w.now().Add(time.Hour), second })
	})
	w.happen("h1", 20)
	w.closed(w.start())
	for range 20 {
		g := <-all
		for _, secret := range []webhook.Secret{h.Secret, second} {
			if err := verify(secret.Text(), g, w.now()); err != nil {
				t.Error(err)
			}
		}
		if g.header.Get("Content-Type") != "application/json" || len(g.header["Webhook-Signature"]) != 1 {
			t.Errorf("headers: %v", g.header)
		}
		forge := func(what string, edit func(*got)) {
			f := got{g.header.Clone(), append([]byte{}, g.body...)}
			edit(&f)
			if verify(second.Text(), f, w.now()) == nil {
				t.Errorf("%s was changed and nobody sees it", what)
			}
		}
		at := rand.IntN(len(g.body)) //nolint:gosec // any
		forge("the body", func(f *got) { f.body[at] ^= 1 })
		forge("the body's end", func(f *got) { f.body = f.body[:len(f.body)-1] })
		forge("the id", func(f *got) { f.header.Set("webhook-id", f.header.Get("webhook-id")+"0") })
		forge("the time", func(f *got) { f.header.Set("webhook-timestamp", strconv.FormatInt(w.now().Unix()+1, 10)) })
		if verify(webhook.NewSecret().Text(), g, w.now()) == nil || verify(second.Text(), g, w.now().Add(301*time.Second)) == nil {
			t.Error("another secret, or another time, is good")
		}
	}
}

// TestSchedule (HOOK-3): a notice that always fails is tried eight times at the
// schedule's times, under one id and with one body, and then given up.
func TestSchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url, all := receive(t, func() int { return 500 })
	w.hook("h1", url)
	w.happen("h1", 1)
	c := w.closed(w.start())
	var first got
	for i, pause := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour, 0} {
		g, try := <-all, <-w.tried
		if i == 0 {
			first = g
		}
		if string(g.body) != string(first.body) || g.header.Get("webhook-id") != first.header.Get("webhook-id") {
			t.Errorf("attempt %d is of another notice", i+1)
		}
		if want := webhook.Timestamp(w.now()); g.header.Get("webhook-timestamp") != want {
			t.Errorf("attempt %d has an old time", i+1)
		}
		if pause == 0 {
			if try.Outcome != webhook.GivenUp {
				t.Errorf("after the last attempt: %+v", try)
			}
			break
		}
		wait := try.Next.Sub(w.now())
		if try.Outcome != webhook.Waiting || wait < pause || wait > pause+pause/10 {
			t.Fatalf("attempt %d: %+v, next in %s", i+1, try, wait)
		}
		w.forward(wait)
		c.Look()
	}
	log, err := w.Notices(t.Context(), "h1", 9)
	if err != nil || len(log) != 1 || log[0].Attempts != webhook.Attempts || log[0].Outcome != webhook.GivenUp || log[0].Status != 500 {
		t.Errorf("the log: %+v: %v", log, err)
	}
}

// TestNothingIsLost (HOOK-3): the receiver fails now and then, and the sender
// dies fifty times with attempts under way and others that it did not record;
// every notice arrives, and what arrives twice has the same id.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	const notices, deaths = 1000, 50
	w := newWorld(t)
	var calls atomic.Int64
	url, all := receive(t, func() int {
		if calls.Add(1)%7 == 0 {
			return 503
		}
		return 200
	})
	w.hook("h1", url)
	w.happen("h1", notices)
	for range deaths {
		c := w.start()
		for range 10 {
			<-all // it is in the midst of it
		}
		w.lose.Store(true)
		dead, kill := context.WithCancel(t.Context())
		kill()
		c.Close(dead)
		w.lose.Store(false)
		w.forward(time.Minute) // the leases of the dead
	}
	c := w.closed(w.start())
	for {
		if waiting := w.waiting("h1"); waiting == 0 {
			break
		}
		<-w.tried
		w.forward(30 * time.Second) // what failed becomes due
		c.Look()
	}
	seen := w.ids("h1")
	if len(seen) != notices {
		t.Errorf("%d notices on record", len(seen))
	}
	for len(all) > 0 {
		if id := (<-all).header.Get("webhook-id"); !seen[id] {
			t.Errorf("%s is no notice's id", id)
		}
	}
}

func (w *world) waiting(hook string) (n int) {
	w.t.Helper()
	log, err := w.Notices(w.t.Context(), hook, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range log {
		if log[i].Outcome == webhook.GivenUp {
			w.t.Fatalf("given up: %+v", log[i])
		}
		if log[i].Outcome == webhook.Waiting {
			n++
		}
	}
	return n
}

func (w *world) ids(hook string) map[string]bool {
	w.t.Helper()
	log, err := w.Notices(w.t.Context(), hook, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]bool{}
	for i := range log {
		all[log[i].Name()] = true
	}
	return all
}

// nightly asks for the size of a release, and for what it costs.
var nightly = os.Getenv("NIGHTLY") != ""

// TestOneBadReceiver (HOOK-4): it hangs with all its lanes full and more behind,
// and the others get all of theirs.
func TestOneBadReceiver(t *testing.T) {
	t.Parallel()
	var alone time.Duration
	if nightly {
		alone = goodOnes(t, newWorld(t))
	}
	w := newWorld(t)
	var hanging, most atomic.Int64
	bad := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		now := hanging.Add(1)
		defer hanging.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		hang(r)
	})
	w.hook("bad", bad)
	w.happen("bad", 500)
	beside := goodOnes(t, w)
	if most.Load() > courier.Lanes {
		t.Errorf("%d attempts at the bad one at once", most.Load())
	}
	if nightly {
		t.Logf("99 of 100 notices arrived within %s, and within %s beside one that hangs", alone, beside)
	}
}

// goodOnes has others hear of things too, and waits until they have. It gives
// how long 99 of 100 took since the courier began.
func goodOnes(t *testing.T, w *world) time.Duration {
	t.Helper()
	good, each := 20, 25
	if nightly {
		good = 50
	}
	arrivals := make(chan time.Time, good*each)
	for i := range good {
		id := "good" + strconv.Itoa(i)
		w.hook(id, serve(t, func(http.ResponseWriter, *http.Request) { arrivals <- time.Now() }))
		w.happen(id, each)
	}
	from := time.Now()
	w.closed(w.start())
	var took []time.Duration
	for range cap(arrivals) {
		took = append(took, (<-arrivals).Sub(from))
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// TestSickReceiver: after three failures in a row there is one attempt at a time,
// and a pause between; one success ends it.
func TestSickReceiver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var well atomic.Bool
	url, all := receive(t, func() int {
		if well.Load() {
			return 200
		}
		return 500
	})
	w.hook("h1", url)
	w.happen("h1", 50)
	c := w.closed(w.start())
	for range courier.Lanes { // all set out before the first came back
		<-w.tried
	}
	for range 5 {
		w.forward(10 * time.Minute)
		c.Look()
		if try := <-w.tried; try.Status != 500 {
			t.Fatalf("%+v", try)
		}
	}
	// One more each time; what set out before the third failure may be a few more.
	if n := len(all); n > 2*courier.Lanes+5 {
		t.Errorf("%d attempts", n)
	}
	well.Store(true)
	w.forward(10 * time.Minute)
	c.Look()
	for w.waiting("h1") > 0 {
		<-w.tried
		w.forward(30 * time.Minute)
		c.Look()
	}
}

// TestGivenUpWebhook: after five days of failures it is disabled, on the trail,
// and the log says so.
func TestGivenUpWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url, _ := receive(t, func() int { return 500 })
	w.hook("h1", url)
	w.happen("h1", 1)
	var log bytes.Buffer
	c := w.closed(w.logging(event.New(&log, slog.LevelInfo)))
	for range webhook.Attempts {
		if try := <-w.tried; try.Outcome == webhook.Waiting {
			w.forward(try.Next.Sub(w.now()))
			c.Look()
		}
	}
	w.forward(2 * webhook.Patience)
	w.happen("h1", 3)
	c.Look()
	for given := false; !given; {
		select {
		case <-w.tried:
			w.forward(10 * time.Minute)
			c.Look()
		case id := <-w.given:
			given = id == "h1"
		}
	}
	if h, err := w.Webhook(t.Context(), "h1"); err != nil || !h.Disabled || h.Failures < webhook.LeastFailures {
		t.Errorf("%+v: %v", h, err)
	}
	dead, end := context.WithCancel(t.Context())
	end()
	c.Close(dead) // and with it the log is complete
	if said := log.String(); strings.Count(said, "failed for five days and is disabled") != 1 || !strings.Contains(said, `"h1"`) || strings.Contains(said, "http") {
		t.Errorf("the log:\n%s", said)
	}
}
