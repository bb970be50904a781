package store

import (
	"context"
	"database/sql"
	"fmt"
)

// LeaseHolder reads who has a lease, and the beat that it was renewed with last;
// both are zero where nobody has it.
func (s *Store) LeaseHolder(ctx context.Context, lease string) (holder string, beat int64, err error) {
	leases, err := s.beats(ctx, `SELECT holder, ends FROM lease WHERE name = $1`, lease)
	if err != nil {
		return "", 0, fmt.Errorf("read the lease %s: %w", lease, err)
	}
	for holder, beat = range leases {
	}
	return holder, beat, nil
}

// TakeLease gives a lease to a node with the beat next, where holder and beat are
// what LeaseHolder said, or where nobody has it, and tells whether it did: of several
// who ask for the same, one gets it. Beats say nothing but that they differ.
func (s *Store) TakeLease(ctx context.Context, lease, holder string, beat int64, node string, next int64) (taken bool, err error) {
	err = s.write(ctx, "take the lease "+lease, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO lease (name, holder, ends) VALUES ($1, $2, $3) `+
			`ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends = excluded.ends `+
			`WHERE lease.holder = $4 AND lease.ends = $5`, lease, node, next, holder, beat)
		if err != nil {
			return err
		}
		rows, err := done.RowsAffected()
		taken = rows == 1
		return err
	})
	return taken && err == nil, err
}

// DropLease ends a node's hold of a lease, if it still has it.
func (s *Store) DropLease(ctx context.Context, lease, node string) error {
	return s.write(ctx, "drop the lease "+lease, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE name = $1 AND holder = $2`, lease, node)
		return err
	})
}

// Beat says that a node is alive. A beat means no more than that it differs
// from the one before.
func (s *Store) Beat(ctx context.Context, node string, beat int64) error {
	return s.write(ctx, "say that this node is alive", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO node (id, seen) VALUES ($1, $2) `+
			`ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`, node, beat)
		return err
	})
}

// Beats gives the last beat of every node that has not been removed.
func (s *Store) Beats(ctx context.Context) (map[string]int64, error) {
	nodes, err := s.beats(ctx, `SELECT id, seen FROM node`)
	if err != nil {
		return nil, fmt.Errorf("read who is alive: %w", err)
	}
	return nodes, nil
}

// RemoveNode removes a node whose last beat is still this one.
func (s *Store) RemoveNode(ctx context.Context, node string, beat int64) error {
	return s.write(ctx, "remove a node", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM node WHERE id = $1 AND seen = $2`, node, beat)
		return err
	})
}

func (s *Store) beats(ctx context.Context, query string, args ...any) (map[string]int64, error) {
	beats := map[string]int64{}
	rows, err := s.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return beats, scan(rows, func(into func(...any) error) error {
		var node string
		var beat int64
		if err := into(&node, &beat); err != nil {
			return err
		}
		beats[node] = beat
		return nil
	})
}
