// Package courier owns how notices get to customers' webhooks: when which one
// is taken up, several at a time and for no webhook more than its share; the
// one HTTP call of an attempt, and where it may connect to; and what a failure
// means for the next attempt. What notices say belongs to webhook; keeping
// them until they have arrived is left to the store.
package courier

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net"
	"sync"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

const (
	// lanes are attempts at one webhook at the same time.
	lanes = 8
	// abreast are attempts at all webhooks together. One that fails has a single
	// lane and pauses, so that it takes hundreds that hang to come near.
	abreast = 1024
	// lease is how long a notice is kept from others. It outlasts an attempt, so
	// that only who died loses one.
	lease = 4 * answerWithin
	// pace is how soon a notice is seen that another process put down.
	pace = time.Second
)

// The pauses of a webhook that is Sick double: an hour of its backlog must not be
// thrown at it for nothing. The longest is shorter than the schedule's own
// pauses by then.
const (
	shortestPause = 10 * time.Second
	longestPause  = 5 * time.Minute
)

// Books keep webhooks and notices.
type Books interface {
	// Webhooks gives those of an account, or all where it is empty.
	Webhooks(ctx context.Context, account string) ([]webhook.Webhook, error)
	// DueNotices gives the webhooks that have notices due.
	DueNotices(context.Context) ([]string, error)
	// ClaimNotices gives notices that are due, at most so many of each webhook.
	ClaimNotices(ctx context.Context, holder string, room map[string]int, lease time.Duration) ([]webhook.Notice, error)
	// Subjects gives what notices are about, by their ids. Where nothing is left
	// of it there is no entry.
	Subjects(context.Context, []webhook.Notice) (map[int64]webhook.Subject, error)
	// Tried puts attempts on record, and gives the webhooks that are hopeless.
	Tried(ctx context.Context, holder string, tries []webhook.Try) (hopeless []string, err error)
	// GiveUpWebhook disables a hopeless webhook.
	GiveUpWebhook(ctx context.Context, id string) error
}

// Options is what a Courier is made with. Names, Log and Now are needed.
type Options struct {
	Rules    webhook.Rules
	Names    *sms.Names // of the dialect that names messages by GUIDs
	Log      *event.Log
	Now      func() time.Time
	Wake     <-chan struct{} // says that a notice was put down; nil for nobody
	Resolver *net.Resolver   // nil: the machine's
	Roots    *x509.CertPool  // nil: the machine's
}

// Courier carries notices until it is closed.
type Courier struct {
	books  Books
	o      Options
	client *Client
	holder string
	look   chan struct{} // holds one word at most
	tried  chan webhook.Try
	stop   context.CancelFunc
	cut    context.CancelFunc // ends attempts that are under way
	ended  sync.WaitGroup
	way    sync.WaitGroup // attempts

	mu    sync.Mutex
	hooks map[string]*webhook.Webhook
	roads map[string]*road
	busy  int
}

// road is what is known of the way to one webhook.
type road struct {
	busy     int
	failures int // in a row
	shut     time.Time
}

// Start makes a Courier and sets it to work.
func Start(ctx context.Context, books Books, o Options) (*Courier, error) {
	c := &Courier{
		books: books, o: o, client: NewClient(o), holder: rand.Text(),
		look: make(chan struct{}, 1), tried: make(chan webhook.Try, abreast), roads: map[string]*road{},
	}
	if err := c.Reload(ctx); err != nil {
		return nil, err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	attempts, cut := context.WithCancel(context.WithoutCancel(ctx))
	c.stop, c.cut = stop, cut
	recorded := make(chan struct{})
	c.ended.Go(func() { c.run(work, attempts); c.way.Wait(); close(c.tried); <-recorded })
	go func() { defer close(recorded); c.record(context.WithoutCancel(ctx)) }()
	return c, nil
}

// Reload reads the webhooks anew.
func (c *Courier) Reload(ctx context.Context) error {
	all, err := c.books.Webhooks(ctx, "")
	if err != nil {
		return fmt.Errorf("read the webhooks: %w", err)
	}
	hooks := make(map[string]*webhook.Webhook, len(all))
	for i := range all {
		hooks[all[i].ID] = &all[i]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, r := range c.roads {
		before, after := c.hooks[id], hooks[id]
		if after == nil && r.busy == 0 {
			delete(c.roads, id)
		} else if before == nil || after != nil && before.URL != after.URL {
			r.failures, r.shut = 0, time.Time{} // another receiver
		}
	}
	c.hooks = hooks
	c.Look()
	return nil
}

// Look has the Courier look for what is due. It does not wait.
func (c *Courier) Look() {
	select {
	case c.look <- struct{}{}:
	default:
	}
}

// Close takes nothing up any more, and waits for the attempts under way until
// the context ends. Those that are cut off then are made again when their lease
// has ended.
func (c *Courier) Close(ctx context.Context) {
	c.stop()
	defer context.AfterFunc(ctx, c.cut)()
	c.ended.Wait()
	c.cut()
	c.client.Close()
}

func (c *Courier) run(ctx, attempts context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	failing := false
	for {
		err := c.take(ctx, attempts)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			c.o.Log.Fail("notices for webhooks cannot be read", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-c.look:
		case <-c.o.Wake:
		}
	}
}

// take claims what is due and there is room for, and sets out with it.
func (c *Courier) take(ctx, attempts context.Context) error {
	due, err := c.books.DueNotices(ctx)
	if err != nil {
		return err
	}
	room := c.room(due)
	if len(room) == 0 {
		return nil
	}
	claimed, err := c.books.ClaimNotices(ctx, c.holder, room, lease)
	if err != nil || len(claimed) == 0 {
		return err
	}
	about, err := c.books.Subjects(ctx, claimed)
	if err != nil {
		return err // they come back when the lease has ended
	}
	for i := range claimed {
		n := &claimed[i]
		if w := c.depart(n.Webhook); w != nil {
			c.way.Go(func() { c.carry(attempts, w, n, about) })
		}
	}
	return nil
}

// room is how many notices of which webhooks can be taken up.
func (c *Courier) room(due []string) map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := map[string]int{}
	left := abreast - c.busy
	for _, id := range due {
		if c.hooks[id] == nil {
			continue // too new: it is read within a second
		}
		r := c.road(id)
		free := lanes - r.busy
		if r.failures >= webhook.Sick {
			free = 1 - r.busy
		}
		if free = min(free, left); free <= 0 || c.o.Now().Before(r.shut) {
			continue
		}
		room[id] = free
		left -= free
	}
	return room
}

func (c *Courier) road(id string) *road {
	r := c.roads[id]
	if r == nil {
		r = &road{}
		c.roads[id] = r
	}
	return r
}

// depart counts an attempt in; nil where the webhook went away meanwhile.
func (c *Courier) depart(id string) *webhook.Webhook {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.hooks[id]
	if w != nil {
		c.road(id).busy++
		c.busy++
	}
	return w
}

func (c *Courier) carry(ctx context.Context, w *webhook.Webhook, n *webhook.Notice, about map[int64]webhook.Subject) {
	t := webhook.Try{Notice: n.ID, Webhook: w.ID}
	subject, known := about[n.ID]
	if !known && n.Event != webhook.Test {
		t.At, t.Outcome, t.Gone, t.Note = c.o.Now(), webhook.GivenUp, true, "what it was about is gone"
		c.tried <- t
		return
	}
	body, err := w.Body(n, subject, c.o.Names)
	if err != nil {
		c.o.Log.Fail("a notice cannot be worded", err)
		t.Note = "it cannot be worded"
	} else {
		t.Status, t.Note = c.client.Send(ctx, w, n.Name(), body)
	}
	t.At = c.o.Now()
	if ctx.Err() != nil && t.Note != "" {
		c.arrive(&t) // cut off by us: nobody failed
		return
	}
	t.Outcome = webhook.Arrived
	if t.Note != "" {
		t.Outcome = webhook.GivenUp
		if next, again := webhook.Next(n.Attempt+1, t.At); again {
			t.Outcome, t.Next = webhook.Waiting, next
		}
	}
	c.tried <- t
}

// record puts attempts on record, those together that came together.
func (c *Courier) record(ctx context.Context) {
	for t := range c.tried {
		tries := []webhook.Try{t}
		for len(tries) < abreast && len(c.tried) > 0 {
			tries = append(tries, <-c.tried)
		}
		hopeless, err := c.books.Tried(ctx, c.holder, tries)
		if err != nil {
			c.o.Log.Fail("attempts of notices cannot be recorded: they are made again", err)
		}
		for _, id := range hopeless {
			c.giveUp(ctx, id)
		}
		for i := range tries {
			c.arrive(&tries[i])
		}
		c.Look()
	}
}

func (c *Courier) giveUp(ctx context.Context, id string) {
	if err := c.books.GiveUpWebhook(ctx, id); err != nil {
		c.o.Log.Fail("a webhook that is to be disabled is not", err)
		return
	}
	c.o.Log.Note("a webhook failed for five days and is disabled", "webhook", id)
}

// arrive counts an attempt out.
func (c *Courier) arrive(t *webhook.Try) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.road(t.Webhook)
	r.busy--
	c.busy--
	switch {
	case t.At.IsZero() || t.Gone:
	case t.Outcome == webhook.Arrived:
		r.failures, r.shut = 0, time.Time{}
	case t.At.Before(r.shut): // one of several that failed together
	default:
		r.failures++
		if over := r.failures - webhook.Sick; over >= 0 {
			r.shut = t.At.Add(min(shortestPause<<min(over, 10), longestPause))
		}
	}
}
