package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"dargah.dev/dargah/internal/audit"
)

// moveProblems is how many problems of the trail are kept for the report.
const moveProblems = 100

// prove reads both sides back and compares them, and looks at the target as at
// any installation: its trail and its books.
func (m *move) prove(ctx context.Context) error {
	m.opts.Progress("comparing", 0, 2*m.source.rows)
	r := &Reader{}
	defer func() { _ = r.Close() }()
	if err := r.openIf(ctx, m.to, func(context.Context, querier) error { return nil }); err != nil {
		return fmt.Errorf("read the target back: %w", err)
	}
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		if err := m.compare(ctx, tx); err != nil {
			return err
		}
		return m.verify(ctx, r, tx)
	})
	if err != nil {
		return fmt.Errorf("read the target back: %w", err)
	}
	if m.result.Imbalances, err = r.Audit(ctx); err != nil {
		return err
	}
	return m.result.fault()
}

// fault is nil where all holds.
func (r *Moved) fault() error {
	for _, t := range r.Tables {
		if !t.Same() {
			return fmt.Errorf("table %s differs: %w", t.Name, ErrDiffers)
		}
	}
	if len(r.Problems) > 0 || len(r.Imbalances) > 0 {
		return errors.New("the copy is exact, but the installation is not whole: see what `dargah audit verify` says of the source. Nothing was switched over")
	}
	return nil
}

// compare reads both sides of a table at the same time.
func (m *move) compare(ctx context.Context, target *sql.Tx) error {
	var done atomic.Int64
	step := func() {
		if n := done.Add(1); n%4096 == 0 {
			m.opts.Progress("comparing", n, 2*m.source.rows)
		}
	}
	for _, t := range m.source.tables {
		proof := TableProof{Name: t.name}
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() (err error) {
			proof.From, err = t.sum(ctx, m.source.tx, t.query(sqliteBytewise), step)
			return err
		})
		group.Go(func() (err error) {
			proof.To, err = t.sum(ctx, target, t.query(postgresBytewise), step)
			return err
		})
		if err := group.Wait(); err != nil {
			return err
		}
		m.result.Tables = append(m.result.Tables, proof)
	}
	m.opts.Progress("comparing", done.Load(), 2*m.source.rows)
	return nil
}

func (m *move) verify(ctx context.Context, r *Reader, tx *sql.Tx) error {
	state, err := readState(ctx, tx)
	if err != nil {
		return err
	}
	var all int64
	if state.Head != nil {
		all = state.Head.Seq
	}
	v := audit.NewVerifier(r.Chain(), state, nil, func(p audit.Problem) {
		if len(m.result.Problems) < moveProblems {
			m.result.Problems = append(m.result.Problems, p)
		}
	})
	for l, err := range lines(ctx, tx, Part{}) {
		if err != nil {
			return err
		}
		v.Add(l)
		if m.result.Records++; m.result.Records%4096 == 0 {
			m.opts.Progress("verifying the trail", m.result.Records, all)
		}
	}
	v.End()
	m.opts.Progress("verifying the trail", m.result.Records, all)
	return nil
}
