package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"os"
	"time"

	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/webhook"
)

// The writer's connection, for tests that take it away or starve it.
func (s *Store) Writer() *sql.DB { return s.writer }

// Waiting is how many closings nobody has taken up.
func (s *Store) Waiting() int { return int(s.queue.length.Load()) }

// Taking tells whether the store takes more.
func (s *Store) Taking() bool { return !s.queue.over() }

// Prepared is how many statements were parsed before they were wanted.
func (s *Store) Prepared() int { return len(s.made.made) }

// CheckDurable is what Open asks of a database.
func CheckDurable(ctx context.Context, db *sql.DB) error { return checkDurable(ctx, db) }

// DSN names a database file as Open does.
func DSN(path string, readOnly bool) string { return sqliteDSN(path, readOnly) }

// Safe is what Open asks of a PostgreSQL server.
func Safe(version, encoding, fsync, pages, synchronous, standby string, onlyRead bool) error {
	how := hasty
	if onlyRead {
		how = readOnly
	}
	return safe([6]string{version, encoding, fsync, pages, synchronous, standby}, how)
}

// WithoutSynchronousCommit takes away what each connection asks for.
func WithoutSynchronousCommit() { synchronousCommit = "off" }

// Limited is a connection on which nothing is waited for longer than limit.
func Limited(conn net.Conn, limit time.Duration) net.Conn {
	return &limitedConn{Conn: conn, limit: limit}
}

// Disk is what the system tells of a folder's file system.
type Disk struct {
	Kind                   string
	Network, Memory, Layer bool
	Free                   int64
}

// JudgeDisk judges one that holds a database of a size.
func JudgeDisk(dir string, d Disk, size int64) (l finding.List) {
	judgeDisk(&l, dir, disk{kind: d.Kind, network: d.Network, memory: d.Memory, layer: d.Layer, free: d.Free}, size)
	return l
}

// MirrorSteps are those of MirrorPeople, one by one.
func MirrorSteps(ctx context.Context, s *Store) (copied, follow, end func() error) {
	m := &mirror{}
	s.persons.mirrors.begin(m)
	copied = func() error { return s.copyPeople(ctx, m) }
	follow = func() error { return s.follow(ctx, m) }
	end = func() error {
		_, err := s.persons.mirrors.end(m, nil)
		return err
	}
	return copied, follow, end
}

// DamageMirror changes bytes of the mirror in force, or cuts it.
func DamageMirror(s *Store, how func(f *os.File) error) error {
	return how(s.persons.mirrors.now.Load().file)
}

// MirrorInFile has mirrors made in files, however small they are.
func MirrorInFile(s *Store) { s.persons.mirrors.memory = 0 }

// MirrorHasFile tells whether the mirror in force is in a file.
func MirrorHasFile(s *Store) bool { return s.persons.mirrors.now.Load().file != nil }

// MirrorElsewhere has mirrors made in other folders.
func MirrorElsewhere(s *Store, dirs ...string) { s.persons.mirrors.dirs = dirs }

// MirrorRoom sets how much of the disk mirrors leave to others; false where that
// is not known.
func MirrorRoom(s *Store, bytes int64) bool {
	_, known := diskOf(s.persons.mirrors.dirs[0])
	s.persons.mirrors.room = bytes
	return known
}

// Mirrored tells whether a mirror is in force.
func Mirrored(s *Store) bool { return s.persons.mirrors.now.Load() != nil }

// MirrorBlock is the longest row with its head.
const MirrorBlock = mirrorBlock

// MirrorOf is a mirror of rows in their order, by their keys of 16 bytes.
type MirrorOf struct{ m *mirror }

// NewMirrorOf makes one.
func NewMirrorOf(dir string, memory, sample int, keys, sealed [][]byte) (MirrorOf, error) {
	m := &mirror{}
	of := newMirrors([]string{dir})
	of.memory, of.sample = int64(memory), int64(sample)
	to := mirrorWriter{to: m, of: of}
	var err error
	for i, key := range keys {
		k := keyOf(key)
		err = errors.Join(err, to.add(k.id, k.rest[:], sealed[i]))
	}
	return MirrorOf{m}, errors.Join(err, to.flush())
}

// Find gives the row of a key.
func (o MirrorOf) Find(key []byte) (found []byte) {
	o.m.with(keyOf(key), func(sealed []byte) bool {
		found = bytes.Clone(sealed)
		return true
	})
	return found
}

// HasFile tells whether it is in a file.
func (o MirrorOf) HasFile() bool { return o.m.file != nil }

// Close drops it.
func (o MirrorOf) Close() error { return o.m.close() }

// FindInBlock looks for a key in bytes that may be anything.
func FindInBlock(block, key []byte) []byte { return sealedIn(block, keyOf(key)) }

// Notify puts down notices as what happens to messages does.
func (s *Store) Notify(ctx context.Context, account string, n webhook.Notice) error {
	return s.write(ctx, "notify", func(tx *sql.Tx) error { return s.notify(tx, account, n) })
}

// PersonID is the number of somebody's row.
func PersonID(s *Store, code persian.NationalCode) int64 {
	return keyOf(s.keys.Hash(personHash, code.Digits())).id
}

// Question is a query with its parameters.
type Question struct {
	Text string
	Args []any
}

// EntryQueries are what a page of entries asks of the database: how old it gets,
// unless it has nothing of calls, and the page that is so old.
func EntryQueries(q ledger.Query, floor time.Time) (oldest, newest Question) {
	first, page := entryPage{Query: q}, entryPage{Query: q, floor: floor}
	oldest.Text, newest.Text = first.oldest(), page.newest()
	oldest.Args, newest.Args = first.args, page.args
	return oldest, newest
}

// Assign reads a row of SQLite's driver into places.
func Assign(to []any, row []driver.Value) error { return assign(to, row) }
