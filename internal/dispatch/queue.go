package dispatch

import (
	"sync"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
)

// message is one that is to be sent. It belongs to whoever has it: the queue,
// or one worker.
type message struct {
	*sms.Message
	batch    *batch
	route    route // whoever may take it
	deferred route // those of them that refused it for now
	parts    [][]byte
	coding   sms.Coding
	accepted []sms.PartResult
	way      *way // that accepted the first of them; nil before
	// again: the next part may have been sent before. unsure: some part may have
	// been, and nobody knows.
	again, unsure bool
	after         time.Time // not to be tried before
}

// open are the ways that it may take now.
func (m *message) open() route {
	if m.way != nil {
		return m.way.bit
	}
	return m.route &^ m.deferred
}

const priorities = int(sms.Bulk) + 1

// queue is what is in memory, in order of priority. A worker that asks for work
// gets the first message whose first ready way is its own, so that nothing has
// to be moved when a way goes down or comes back.
type queue struct {
	ways   []*way
	now    func() time.Time
	hungry operator.Signal // there is room again, or no work
	most   [priorities]int // messages in memory

	mu     sync.Mutex
	lanes  [priorities][]*lane
	size   [priorities]int
	later  []*message // that wait for their time
	number uint64
	closed bool
}

// lane is the messages of one priority that may take the same ways.
type lane struct {
	open  route
	queue fifo
}

func newQueue(ways []Way, now func() time.Time) *queue {
	q := &queue{now: now, hungry: operator.NewSignal(), most: mostQueued}
	for i, w := range ways {
		added := &way{Way: w, bit: 1 << i, work: sync.NewCond(&q.mu), alive: now(), rested: time.AfterFunc(time.Hour, q.rouse)}
		added.rested.Stop()
		for _, before := range q.ways {
			if before.covers(&added.Way) {
				added.hides |= before.bit
			}
		}
		q.ways = append(q.ways, added)
	}
	return q
}

// routes are the ways that may take a message.
func (q *queue) routes(m *sms.Message) (r route) {
	for _, w := range q.ways {
		if w.takes(m.Line, m.Recipient) {
			r |= w.bit
		}
	}
	return r
}

func (q *queue) readyWays() route {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ready()
}

func (q *queue) ready() (r route) {
	now := q.now()
	for _, w := range q.ways {
		if w.ready(now) {
			r |= w.bit
		}
	}
	return r
}

// alive are the ways that are ready, or were a moment ago.
func (q *queue) alive() (r route) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, w := range q.ways {
		if w.ready(now) || now.Sub(w.alive) < patience {
			r |= w.bit
		}
	}
	return r
}

// put appends messages, and back puts one in front again.
func (q *queue) put(all []*message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range all {
		q.insert(m, false)
	}
}

func (q *queue) back(m *message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m.after.After(q.now()) {
		q.later = append(q.later, m)
		return
	}
	q.insert(m, true)
}

func (q *queue) insert(m *message, front bool) {
	p, open := m.batch.lane(), m.open()
	l := q.lane(p, open)
	if front {
		l.queue.unshift(entry{m, 0})
	} else {
		q.number++
		l.queue.push(entry{m, q.number})
	}
	q.size[p]++
	for _, w := range q.ways {
		if open&w.bit != 0 {
			w.work.Signal()
		}
	}
}

func (q *queue) lane(p int, open route) *lane {
	for _, l := range q.lanes[p] {
		if l.open == open {
			return l
		}
	}
	l := &lane{open: open}
	q.lanes[p] = append(q.lanes[p], l)
	return l
}

// next waits for a message that w is to send; nil when there will be none.
func (q *queue) next(w *way) *message {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed {
		if m := q.pick(w); m != nil {
			return m
		}
		if q.crowded() {
			q.hungry.Raise() // there may be work for it behind that of others
		}
		w.work.Wait()
	}
	return nil
}

func (q *queue) pick(w *way) *message {
	ready := q.ready()
	if ready&w.bit == 0 {
		return nil
	}
	for p := range q.lanes {
		var first *lane
		for _, l := range q.lanes[p] {
			able := l.open & ready
			if l.queue.len() > 0 && able.first() == w.bit && (first == nil || l.queue.front().number < first.queue.front().number) {
				first = l
			}
		}
		if first != nil {
			q.took(p)
			return first.queue.shift().message
		}
	}
	return nil
}

func (q *queue) took(p int) {
	if q.size[p]--; q.size[p] == q.most[p]/2 {
		q.hungry.Raise()
	}
}

// rouse has the workers look again: of ways that are ready now, and of those
// that the messages of others go to now.
func (q *queue) rouse() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.size != [priorities]int{} {
		q.broadcast()
	}
}

func (q *queue) broadcast() {
	for _, w := range q.ways {
		w.work.Broadcast()
	}
}

// failed and worked tell of a way that could not, or could, be handed a part.
func (q *queue) failed(w *way) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, rest := q.now(), min(firstRest<<min(w.fails, 10), lastRest)
	if !now.Before(w.rests) {
		q.broadcast()
	}
	w.rests = now.Add(rest)
	w.rested.Reset(rest)
	w.fails++
}

func (q *queue) worked(w *way) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.fails = 0
}

// room is how many messages of a priority may still come in.
func (q *queue) room(p int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.most[p] - q.size[p]
}

// least is how much room there is where more of a priority is taken.
func least(p int) int {
	if p == int(sms.Bulk) {
		return mostOf
	}
	return 1
}

func (q *queue) crowded() bool {
	for p, size := range q.size {
		if q.most[p]-size < least(p) {
			return true
		}
	}
	return false
}

// spare is how many messages of a priority may come in for a way beyond the room
// that there is: none while it has enough to do that goes as early, or cannot be
// the first way of any message.
func (q *queue) spare(w *way, p int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	ready, waiting, share := q.ready(), 0, q.most[p]/4
	for _, lanes := range q.lanes[:p+1] {
		for _, l := range lanes {
			if (l.open & ready).first() == w.bit {
				waiting += l.queue.len()
			}
		}
	}
	if ready&w.bit == 0 || w.hides&ready != 0 || 2*waiting > share {
		return 0
	}
	return share - waiting
}

// stir brings back those whose time has come and has the workers look again. It
// takes out those that are worth nothing any more, and those whose ways are all
// away for long.
func (q *queue) stir(alive route) (over, stuck []*message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	waiting := q.later[:0]
	for _, m := range q.later {
		if m.after.After(now) {
			waiting = append(waiting, m)
			continue
		}
		q.insert(m, true)
	}
	clear(q.later[len(waiting):])
	q.later = waiting
	for p := range q.lanes {
		for _, l := range q.lanes[p] {
			before := l.queue.len()
			l.queue.filter(func(m *message) bool {
				switch {
				case !now.Before(m.batch.Expires):
					over = append(over, m)
				case l.open&alive == 0 && m.way == nil:
					stuck = append(stuck, m)
				default:
					return true
				}
				return false
			})
			q.size[p] -= before - l.queue.len()
		}
	}
	q.broadcast()
	return over, stuck
}

// close ends the queue and gives what is in it.
func (q *queue) close() (rest []*message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	rest, q.later = q.later, nil
	for p := range q.lanes {
		for _, l := range q.lanes[p] {
			l.queue.filter(func(m *message) bool { rest = append(rest, m); return false })
		}
		q.size[p] = 0
	}
	q.broadcast()
	return rest
}

// part is what is handed to the operator of the message's next part.
func (m *message) part() operator.Part {
	n := len(m.accepted)
	p := operator.Part{
		From: m.Line, To: m.Recipient, Coding: m.coding, Data: m.parts[n], Number: n + 1, Total: len(m.parts),
		Expires: m.batch.Expires, Urgent: m.batch.Priority == sms.Urgent, Again: m.again, Message: m.ID,
	}
	if len(m.parts) > 1 {
		p.Reference = uint16(m.ID%0xffff) + 1 // the same when it is sent again, so that the phone joins them
	}
	return p
}
