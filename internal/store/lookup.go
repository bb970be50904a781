package store

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"time"
)

// lookupSizes is how many forms the look-up is prepared in: for 1, 2, 4 … keys.
const lookupSizes = 6 // up to 32 keys

// lookups finds people's rows by their keys. Calls that look at the same time share one
// query: on PostgreSQL that is one round trip for all, on SQLite half the work.
// Nobody stands by to do this: whoever comes while fewer than the allowed
// number are reading reads for all who wait, and then hands its turn to one of
// those who came meanwhile. So a lone caller waits for nobody.
type lookups struct {
	db     *sql.DB
	sizes  [lookupSizes]*query
	within time.Duration // how long a look-up may take; 0 is no bound

	mu      sync.Mutex
	waiting []*lookup
	turns   int // how many more may read
}

// lookup is one caller's.
type lookup struct {
	key   personKey
	found []byte // nil where there is no such row
	err   error

	reads bool      // it has a turn, or one is on its way to it
	turn  chan bool // true: it is its turn to read; false: it was read
}

// At most two messages are under way to a look-up: its turn, and that somebody
// else has read it.
var lookupPool = sync.Pool{New: func() any { return &lookup{turn: make(chan bool, 2)} }}

// errLookup is what those hear whose reader did not come to an end.
var errLookup = errors.New("the query was cut short")

// lookups prepares the look-up; at most readers run it at a time. The keys are
// rows to join: SQLite makes a tree of a list behind IN, which is a sixth of the
// work. It takes the order of a CROSS JOIN as it is written.
func (p *statements) lookups(readers int) *lookups {
	l := &lookups{db: p.db, turns: readers}
	if p.engine.shared() {
		l.within = readLimit
	}
	for size := range l.sizes {
		l.sizes[size] = p.prepare(`SELECT p.id, p.rest, p.sealed FROM ` + p.table([]string{"BIGINT"}, 1<<size) +
			` CROSS JOIN person p WHERE p.id = v.column1`)
	}
	return l
}

// lookupReaders is how many queries may run at a time. Where they take our own
// processors some are left for those who are to fill the next batch; where a
// server does the work, one query can be on its way while another comes back.
// More only make the batches smaller.
func lookupReaders(e engine) int {
	processors := runtime.GOMAXPROCS(0)
	if e.shared() {
		return max(2, processors)
	}
	return max(1, processors/2)
}

// find gives the value of a key; nil where there is none. A query that has
// begun is not interrupted by the end of the context: it is others' too, and on
// SQLite it takes microseconds, while the driver would start a goroutine to
// watch for the end.
func (l *lookups) find(ctx context.Context, key personKey) ([]byte, error) {
	if l.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.within)
		defer cancel()
	}
	w := lookupPool.Get().(*lookup)
	w.key, w.found, w.err = key, nil, nil
	turn := l.enter(w)
	for !turn || !l.read(ctx, w) {
		var err error
		if turn, err = l.wait(ctx, w); err != nil {
			return nil, err
		}
		if !turn {
			break
		}
	}
	found, err := w.found, w.err
	w.found, w.err = nil, nil
	lookupPool.Put(w)
	return found, err
}

// enter has the look-up wait, and tells whether it is its turn to read.
func (l *lookups) enter(w *lookup) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.reads = l.turns > 0
	if w.reads {
		l.turns--
	}
	l.waiting = append(l.waiting, w)
	return w.reads
}

// wait tells whether it is the look-up's turn, or it was read. One that was
// given up is not used again.
func (l *lookups) wait(ctx context.Context, w *lookup) (turn bool, err error) {
	select {
	case turn = <-w.turn:
		return turn, nil
	case <-ctx.Done():
	}
	if l.leave(w) {
		return false, ctx.Err()
	}
	if l.within == 0 {
		return <-w.turn, nil
	}
	go l.forgo(w)
	return false, ctx.Err()
}

// forgo stands in for a caller that left while somebody read for it: a turn
// that it was given must not be lost.
func (l *lookups) forgo(w *lookup) {
	if turn := <-w.turn; turn {
		l.mu.Lock()
		defer l.mu.Unlock()
		w.reads = false
		l.pass()
	}
}

// leave takes a look-up back; false when somebody has taken it up.
func (l *lookups) leave(w *lookup) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, w)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if w.reads {
		l.pass()
	}
	return true
}

// read reads for the oldest of those who wait, and tells whether its own
// look-up was among them. It first lets those run who are ready to: they may be
// about to look something up too.
func (l *lookups) read(ctx context.Context, w *lookup) (own bool) {
	runtime.Gosched()
	batch := l.take()
	err := errLookup
	defer func() { own = l.end(batch, w, err) }()
	err = l.ask(ctx, batch)
	return own
}

func (l *lookups) take() []*lookup {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), 1<<(lookupSizes-1))
	batch := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	return batch
}

// ask fills the list of keys up by repeating the last one. It takes no longer
// than the reader has left, who may have waited for the turn; that the reader's
// own caller goes is no reason to stop.
func (l *lookups) ask(of context.Context, batch []*lookup) error {
	if len(batch) == 0 {
		return nil
	}
	size := bits.Len(uint(len(batch) - 1))
	keys := make([]any, 1<<size)
	for i := range keys {
		keys[i] = batch[min(i, len(batch)-1)].key.id
	}
	ctx := context.Background()
	if until, bounded := of.Deadline(); bounded && l.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	rows, err := l.sizes[size].read(ctx, l.db, keys)
	if err != nil {
		return err
	}
	var rest sql.RawBytes
	return scan(rows, func(into func(...any) error) error {
		var id int64
		var value []byte
		if err := into(&id, &rest, &value); err != nil {
			return err
		}
		for _, w := range batch {
			if w.key.id == id && string(w.key.rest[:]) == string(rest) {
				w.found = value
			}
		}
		return nil
	})
}

// end tells everybody of the batch, and hands the turn on.
func (l *lookups) end(batch []*lookup, reader *lookup, err error) (own bool) {
	for _, w := range batch {
		w.err = err
		if w == reader {
			own = true
			continue
		}
		w.turn <- false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	reader.reads = false
	l.pass()
	return own
}

// pass gives a turn to the first who waits without one, or back.
func (l *lookups) pass() {
	for _, w := range l.waiting {
		if !w.reads {
			w.reads = true
			w.turn <- true
			return
		}
	}
	l.turns++
}

// read runs the query outside of any transaction.
func (q *query) read(ctx context.Context, db *sql.DB, args []any) (*sql.Rows, error) {
	if q.made != nil {
		return q.made.QueryContext(ctx, args...)
	}
	return db.QueryContext(ctx, q.text, args...)
}
