package store

import (
	"context"
	"database/sql"
)

// The writer's connection, for tests that take it away or starve it.
func (s *Store) Writer() *sql.DB { return s.writer }

// Waiting is how many closings nobody has taken up.
func (s *Store) Waiting() int { return int(s.queue.length.Load()) }

// CheckDurable is what Open asks of a database.
func CheckDurable(ctx context.Context, db *sql.DB) error { return checkDurable(ctx, db) }

// DSN names a database file as Open does.
func DSN(path string, readOnly bool) string { return sqliteDSN(path, readOnly) }
