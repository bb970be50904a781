package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"dargah.dev/dargah/internal/token"
)

// How long a family's row outlives the family. A family that lives needs no
// row, since its tokens are refused as expired; the day is for clocks that are
// set back. A dead one must be known as long as an access token made on the
// family's last day can live, which is 365 days.
const (
	liveMargin = token.Day
	deadMargin = 366 * token.Day
)

// families are the killed ones, in memory.
type families struct {
	mu      sync.RWMutex
	dead    map[string]struct{}
	loading sync.Mutex
	known   int64 // the version up to which deaths were read
}

func (f *families) has(family string) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	_, dead := f.dead[family]
	return dead
}

func (f *families) add(families ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead == nil {
		f.dead = map[string]struct{}{}
	}
	for _, family := range families {
		f.dead[family] = struct{}{}
	}
}

// family is one row of refresh_family.
type family struct {
	generation int64
	rotatedAt  int64
	deadAt     int64
	expiresAt  int64
	changed    bool
}

// rotate decides what showing the token of the rotation's generation does at
// now (microseconds), and tells whether the token is good.
func (f *family) rotate(r *token.Rotation, now int64) bool {
	switch {
	case f.deadAt != 0:
		return false
	case r.Generation == f.generation:
		f.generation++
		f.rotatedAt, f.changed = now, true
		return true
	case r.Generation == f.generation-1 && now-f.rotatedAt <= token.Grace.Microseconds():
		return true
	default:
		f.deadAt, f.changed = now, true
		return false
	}
}

// Sweep removes the rows of token families that nothing can ask for any more.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.now()
	return s.write(ctx, "sweep token families", func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM refresh_family WHERE expires_at < $1 AND (dead_at = 0 OR expires_at < $2)`,
			now.Add(-liveMargin).UnixMicro(), now.Add(-deadMargin).UnixMicro())
		return err
	})
}

// LoadFamilies reads which token families were killed since it was last called,
// by whichever node. Deaths are numbered under a lock that all writers hold, so
// that none can turn up below the last number that was read.
func (s *Store) LoadFamilies(ctx context.Context) error {
	s.dead.loading.Lock()
	defer s.dead.loading.Unlock()
	rows, err := s.reader.QueryContext(ctx,
		`SELECT family, death FROM refresh_family WHERE dead_at <> 0 AND (death > $1 OR death = 0)`, s.dead.known)
	if err != nil {
		return fmt.Errorf("load dead token families: %w", err)
	}
	var dead []string
	known := s.dead.known
	err = scan(rows, func(into func(...any) error) error {
		var name string
		var death int64
		err := into(&name, &death)
		dead, known = append(dead, name), max(known, death)
		return err
	})
	if err != nil {
		return fmt.Errorf("load dead token families: %w", err)
	}
	s.dead.add(dead...)
	s.dead.known = known
	return nil
}
