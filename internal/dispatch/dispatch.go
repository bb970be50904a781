// Package dispatch owns the way of a message from the durable queue to an
// operator: which batches are taken when, what goes first, which way out each
// message takes, what is tried again, and that the outcome is recorded. What is
// durable is the store's, and how a part is handed over the operator's.
package dispatch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
)

// Store is the durable queue and what is known of messages.
type Store interface {
	// ClaimSends takes at most n batches that are due, of a priority up to most:
	// the lowest first, and then the one that was due first. They are the
	// holder's until the lease ends.
	ClaimSends(ctx context.Context, holder string, most sms.Priority, n int, lease time.Duration) ([]job.Job, error)
	// DueSends gives at most n batches that are due, in that order, of the
	// priority of one after which it begins. ClaimThese is ClaimSends for some of
	// them.
	DueSends(ctx context.Context, after job.Job, n int) ([]job.Job, error)
	ClaimThese(ctx context.Context, holder string, priority sms.Priority, refs []int64, lease time.Duration) ([]job.Job, error)
	// NextSend is when the next batch is due, or its lease ends; zero where there
	// is none.
	NextSend(ctx context.Context) (time.Time, error)
	// ExtendJobs begins the leases anew of those that the holder still has.
	ExtendJobs(ctx context.Context, kind, holder string, refs []int64, lease time.Duration) error
	// RetryJobs puts jobs off that their holder still has, and FinishJobs ends
	// jobs.
	RetryJobs(ctx context.Context, kind, holder string, refs []int64, due time.Time) error
	FinishJobs(ctx context.Context, kind string, refs []int64) error
	// Batches are with all their messages; those that are not there are left out.
	Batches(ctx context.Context, ids []int64) ([]sms.Batch, error)
	// Record is durable on return, or it did not happen.
	Record(ctx context.Context, results []sms.Result) error
}

// Options is what a Dispatcher is made with. Store and Log are needed.
type Options struct {
	Store Store
	// Ways are tried in their order. Without any, messages stay in the queue until
	// they are worth nothing any more.
	Ways []Way
	// Wake has a signal when something that is due soon was put into the queue; nil
	// for none.
	Wake <-chan struct{}
	Log  *event.Log
	Now  func() time.Time // nil: time.Now
}

const (
	// lease is how long a batch stays with a process that says nothing more. It
	// is extended thrice in that time; nothing is sent in the last part of it.
	lease       = 30 * time.Second
	leaseMargin = 10 * time.Second
	// patience is how long messages wait in memory for a way to come back.
	patience = 10 * time.Second
)

// looks is how often the queue is looked at without a signal: while there is
// work, and while there is none, or no way that takes it. What other processes
// put there, and leave behind, gives no signal here.
type looks struct{ busy, idle time.Duration }

var usual = looks{250 * time.Millisecond, time.Second}

// Dispatcher sends what is in the queue, until Drain.
type Dispatcher struct {
	store   Store
	log     *event.Log
	now     func() time.Time
	holder  string
	queue   *queue
	held    held
	looked  map[place]*look // the loader's
	wake    <-chan struct{}
	looks   looks
	results chan outcome

	sending, storing context.Context
	cut, stop        context.CancelFunc // of sending, and of storing
	loading          context.Context
	halt             context.CancelFunc // of loading
	loader, workers  sync.WaitGroup
	keeper, recorder sync.WaitGroup
}

// New checks the ways and makes a Dispatcher; Start starts it.
func New(o Options) (*Dispatcher, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Ways) > mostWays {
		return nil, fmt.Errorf("%d ways out, at most %d", len(o.Ways), mostWays)
	}
	d := &Dispatcher{
		store: o.Store, log: o.Log, now: o.Now, holder: rand.Text(), queue: newQueue(o.Ways, o.Now),
		wake: o.Wake, looks: usual, results: make(chan outcome, mostUnrecorded),
		looked: map[place]*look{},
	}
	d.held.batches = map[int64]*batch{}
	d.sending, d.cut = context.WithCancel(context.Background())
	d.storing, d.stop = context.WithCancel(context.Background())
	d.loading, d.halt = context.WithCancel(context.Background())
	return d, nil
}

// Start begins to send. Without ways nothing is taken from the queue but what is
// worth nothing any more: other processes may have ways.
func (d *Dispatcher) Start() {
	d.recorder.Go(d.record)
	d.keeper.Go(d.keep)
	if len(d.queue.ways) == 0 {
		d.loader.Go(d.clear)
		return
	}
	for _, w := range d.queue.ways {
		d.keeper.Go(func() { d.watch(w) })
		for range w.Operator.Window() {
			d.workers.Go(func() { d.work(w) })
		}
	}
	d.loader.Go(d.load)
}

// watch hears when a way goes or comes back: its messages may have another way,
// or may wait for it.
func (d *Dispatcher) watch(w *way) {
	for {
		select {
		case <-w.Operator.Changed():
			d.queue.rouse()
		case <-d.loading.Done():
			return
		}
	}
}

// Ready tells whether there is a way out that takes parts now.
func (d *Dispatcher) Ready() bool { return d.queue.readyWays() != 0 }

// Drain takes nothing more from the queue, waits for the parts that are under
// way, records what became of them and gives back what was not sent. When the
// context ends first, parts under way are given up: they are in doubt.
func (d *Dispatcher) Drain(ctx context.Context) error {
	ended := context.AfterFunc(ctx, d.cut)
	defer ended()
	d.halt()
	d.loader.Wait()
	rest := d.queue.close()
	d.workers.Wait()
	for _, m := range rest {
		d.putOff(m, d.now())
	}
	for _, m := range d.queue.close() { // what the last workers put back
		d.putOff(m, d.now())
	}
	close(d.results)
	recorded := make(chan struct{})
	go func() { d.recorder.Wait(); close(recorded) }()
	var err error
	select {
	case <-recorded:
	case <-time.After(lastWrite):
		err = errors.New("what became of the last messages could not be recorded: they are in doubt")
	}
	d.stop()
	d.recorder.Wait()
	d.keeper.Wait()
	return err
}

// lastWrite is how long the store is given for the last of it.
const lastWrite = 5 * time.Second
