// Package sandbox owns the way out that has no phones behind it: it accepts
// every part, and says later what a scenario says about its recipient.
package sandbox

import (
	"container/heap"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
)

// Name is what it is called in records.
const Name = "sandbox"

const (
	// window is how many parts may be under way: they hardly are.
	window = 32
	// usual is after how long a message is delivered where no scenario says.
	usual = time.Second
	// mostBrought is how many receipts may be under way.
	mostBrought = 512
	// again is when a receipt that could not be stored is brought again.
	again = time.Second
)

// Options is what an Operator is made with. Sink and Log are needed.
type Options struct {
	Sink operator.Sink
	// Open gives the ids of the parts that were accepted before this process and
	// have had no receipt: theirs are brought now. nil: there are none.
	Open func(context.Context) ([]string, error)
	Log  *event.Log
	Now  func() time.Time // nil: time.Now
}

// Operator accepts every part. What is to become of a part is in the id that it
// gives, so that it is known after a restart without being kept.
type Operator struct {
	options Options
	rules   rules
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	news    operator.Signal // what is due first has changed
	changed operator.Signal

	mu      sync.Mutex
	waiting queue
	closed  bool
	fates   map[int64]fate // of messages of which more parts are to come
}

// New begins to bring receipts.
func New(o Options) *Operator {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Operator{options: o, news: operator.NewSignal(), changed: operator.NewSignal(), fates: map[int64]fate{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(s.recall)
	s.running.Go(s.bring)
	return s
}

// Put brings scenarios into force in the place of those before. One that was
// there goes on counting.
func (s *Operator) Put(rules []Rule) error { return s.rules.put(rules) }

// Name is Name.
func (s *Operator) Name() string { return Name }

// Ready is true until Close.
func (s *Operator) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed
}

// Changed has a signal at the end.
func (s *Operator) Changed() <-chan struct{} { return s.changed }

// Window is a number that keeps nobody waiting.
func (s *Operator) Window() int { return window }

// Submit accepts the part.
func (s *Operator) Submit(_ context.Context, p operator.Part) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", fmt.Errorf("operator %s: %w", Name, operator.ErrUnsent)
	}
	f := s.fate(p)
	w := word{message: p.Message, place: p.Number, state: f.state, due: s.options.Now().Add(f.after)}
	s.add(w.receipt(p.To.Local()), w.due)
	return w.String(), nil
}

// fate is the same for all parts of a message.
func (s *Operator) fate(p operator.Part) fate {
	f, known := s.fates[p.Message]
	if !known || p.Number == 1 {
		f = s.rules.of(p.To)
	}
	if p.Number < p.Total {
		s.fates[p.Message] = f
	} else {
		delete(s.fates, p.Message)
	}
	return f
}

// Close ends it. Receipts that were not brought are brought by the next
// process.
func (s *Operator) Close(context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.changed.Raise()
	s.stop()
	s.running.Wait()
	return nil
}

// word is an id, which says what is to become of the part.
type word struct {
	message int64
	place   int
	state   sms.State // Submitted where nothing is to come
	due     time.Time
}

func (w word) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", w.message, w.place, w.state, w.due.UnixMilli())
}

// parse reads an id of ours.
func parse(id string) (w word, ok bool) {
	fields := strings.Split(id, ".")
	if len(fields) != 4 {
		return w, false
	}
	var n [4]int64
	for i, f := range fields {
		var err error
		if n[i], err = strconv.ParseInt(f, 10, 64); err != nil {
			return w, false
		}
	}
	return word{message: n[0], place: int(n[1]), state: sms.State(n[2]), due: time.UnixMilli(n[3])}, true
}

func (w word) receipt(to string) operator.Receipt {
	r := operator.Receipt{Operator: Name, ID: w.String(), To: to, State: w.state, At: w.due, Error: "000"}
	if w.state != sms.Delivered {
		r.Error = fmt.Sprintf("%03d", w.state)
	}
	return r
}

// add keeps a receipt until it is due. The caller holds the lock.
func (s *Operator) add(r operator.Receipt, due time.Time) {
	if r.State == sms.Submitted {
		return
	}
	heap.Push(&s.waiting, notice{r, due})
	if s.waiting[0].due.Equal(due) {
		s.news.Raise()
	}
}

// recall takes up what was open when the process before ended.
func (s *Operator) recall() {
	for s.options.Open != nil && s.ctx.Err() == nil {
		ids, err := s.options.Open(s.ctx)
		if err == nil {
			s.takeUp(ids)
			return
		}
		if s.ctx.Err() == nil {
			s.options.Log.Fail("sandbox: the receipts that are open cannot be read", err)
		}
		s.rest(again)
	}
}

func (s *Operator) takeUp(ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := make(map[string]bool, len(s.waiting)) // accepted since this process began
	for _, n := range s.waiting {
		here[n.receipt.ID] = true
	}
	for _, id := range ids {
		if w, ok := parse(id); ok && !here[id] {
			s.add(w.receipt(""), w.due)
		}
	}
}

func (s *Operator) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.news:
	case <-s.ctx.Done():
	}
}

// bring hands receipts over when they are due.
func (s *Operator) bring() {
	places := make(chan struct{}, mostBrought)
	for s.ctx.Err() == nil {
		n, left := s.next()
		if left > 0 {
			s.rest(left)
			continue
		}
		select {
		case places <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		s.running.Go(func() {
			defer func() { <-places }()
			s.hand(n)
		})
	}
}

// next takes the receipt that is due, or tells how long nothing is.
func (s *Operator) next() (n notice, left time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return n, time.Hour
	}
	if left := s.waiting[0].due.Sub(s.options.Now()); left > 0 {
		return n, left
	}
	return heap.Pop(&s.waiting).(notice), 0
}

func (s *Operator) hand(n notice) {
	err := s.options.Sink.Receipt(s.ctx, n.receipt)
	if err == nil || s.ctx.Err() != nil {
		return
	}
	s.options.Log.Fail("sandbox: a receipt is not stored yet", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(n.receipt, s.options.Now().Add(again))
}

// notice is a receipt that is to come.
type notice struct {
	receipt operator.Receipt
	due     time.Time
}

// queue has the receipt that is due first at its front.
type queue []notice

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(notice)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	n := (*q)[last]
	(*q)[last] = notice{}
	*q = (*q)[:last]
	return n
}
