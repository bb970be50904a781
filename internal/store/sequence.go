package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// blockSize is how many message ids a node takes at once. What a process has
// left of a block when it ends is never given out.
const blockSize = 10_000

// sequence gives numbers out of blocks, the next of which is fetched before the
// last is used up, so that a call does not wait for it.
type sequence struct {
	store *Store
	name  string

	mu       sync.Mutex
	from, to int64 // what is left of the block: from is in it, to is not
	next     int64 // the next block's first; 0 where it was not fetched
	fetching bool
	working  sync.WaitGroup
}

// MessageIDs gives n ids without a gap between them, of which it tells the
// first; n is at most 1000. An id is given out once, by whichever node.
func (s *Store) MessageIDs(ctx context.Context, n int) (first int64, err error) {
	return s.ids.take(ctx, int64(n))
}

func (q *sequence) take(ctx context.Context, n int64) (first int64, err error) {
	if n < 1 || n > blockSize/10 {
		return 0, errors.New("take ids: so many are not given out at once")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.to-q.from < n && q.next != 0 {
		q.begin(q.next)
	}
	if q.to-q.from < n { // the first of all, or the database was too slow for us
		next, err := q.fetch(ctx)
		if err != nil {
			return 0, err
		}
		q.begin(next)
	}
	first = q.from
	q.from += n
	if q.to-q.from < blockSize/2 && q.next == 0 && !q.fetching {
		q.fetching = true
		q.working.Go(q.ahead)
	}
	return first, nil
}

func (q *sequence) begin(first int64) { q.from, q.to, q.next = first, first+blockSize, 0 }

// ahead fetches the next block. Where that fails, whoever needs it tries again.
func (q *sequence) ahead() {
	next, err := q.fetch(context.Background())
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fetching = false
	if err == nil {
		q.next = next
	}
}

func (q *sequence) fetch(ctx context.Context) (first int64, err error) {
	err = q.store.write(ctx, "take a block of ids", func(tx *sql.Tx) error {
		first, err = advance(tx, q.name, blockSize)
		return err
	})
	return first, err
}

// advance takes n numbers of a sequence, within a transaction.
func advance(tx *sql.Tx, name string, n int64) (first int64, err error) {
	err = tx.QueryRow(`UPDATE sequence SET next = next + $1 WHERE name = $2 RETURNING next - $1`, n, name).Scan(&first)
	if err != nil {
		return 0, fmt.Errorf("take numbers of %s: %w", name, err)
	}
	return first, nil
}
