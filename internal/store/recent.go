package store

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/seal"
)

// recentHash is the purpose of the hash under which people are remembered.
const recentHash = "person asked about"

// PeopleMemory is how many bytes of the register are kept in memory where
// nothing is said: some 150,000 people.
const PeopleMemory = 64 << 20

// recentBeside is what one row costs beside its bytes, about.
const recentBeside = 208

// recent remembers rows of people who were found, sealed as they are stored,
// so that asking again costs no query: each commit empties the pages that
// SQLite's readers keep, and PostgreSQL is a trip away.
//
// Whoever is asked about is kept from the second time on: where the register is
// larger than the memory most are not asked about again soon, and to take each
// in, and drop another, would be work for nothing.
//
// A row is found by the national code and the birth date together. So only who
// knows both is answered from here; a wrong date takes the same way as a code
// that nobody has, and the time tells nothing. That nobody was found is never
// remembered: who was just added must be found at once.
type recent struct {
	keys *seal.Keyring
	rows *otter.Cache[recentKey, recentRow] // nil where nothing is to be remembered
	// met has a part of the key of who was asked about lately, at a place that
	// another part gives.
	met [1 << 16]atomic.Uint32
	// age rises when anybody in the register may have been changed. What was
	// read at another age is not believed: whoever read it may have done so
	// before the change and come here after it.
	age atomic.Uint64
	// forgotten has a signal when everything was dropped.
	forgotten chan struct{}
}

type recentKey [seal.HashSize]byte

// recentRow is a row, and the age at which its reading began.
type recentRow struct {
	age    uint64
	id     [seal.HashSize]byte
	sealed []byte
}

func newRecentRow(age uint64, id, sealed []byte) recentRow {
	return recentRow{age: age, id: [seal.HashSize]byte(id), sealed: sealed}
}

func (r recentRow) size() int { return len(r.sealed) + recentBeside }

// newRecent keeps at most so many bytes; none where that is below 0.
func newRecent(keys *seal.Keyring, bytes int64) *recent {
	r := &recent{keys: keys, forgotten: make(chan struct{}, 1)}
	if bytes > 0 {
		r.rows = otter.Must(&otter.Options[recentKey, recentRow]{
			MaximumWeight: uint64(bytes),
			Weigher:       func(_ recentKey, row recentRow) uint32 { return uint32(row.size()) }, //nolint:gosec // a row is small
		})
	}
	return r
}

func (r *recent) key(code persian.NationalCode, born persian.Date) (key recentKey) {
	var text [24]byte
	value := append(text[:0], code.Digits()...)
	for _, part := range [...]int{born.Year / 100, born.Year % 100, born.Month, born.Day} {
		value = append(value, byte(part))
	}
	r.keys.AppendHash(key[:0], recentHash, string(value))
	return key
}

// find gives the row that was remembered under a key.
func (r *recent) find(key recentKey) (row recentRow, found bool) {
	if r.rows == nil {
		return recentRow{}, false
	}
	row, found = r.rows.GetIfPresent(key)
	return row, found && row.age == r.age.Load()
}

// again tells whether a key was met lately. It may be wrong about that, seldom.
func (r *recent) again(key recentKey) bool {
	place, mark := binary.BigEndian.Uint16(key[:]), binary.BigEndian.Uint32(key[2:])
	return r.met[place].Swap(mark) == mark
}

// keep remembers a row that was asked for at its age.
func (r *recent) keep(key recentKey, row recentRow) {
	if r.rows != nil {
		r.rows.Set(key, row)
	}
}

// forget drops everything.
func (r *recent) forget() {
	r.age.Add(1)
	if r.rows != nil {
		r.rows.InvalidateAll()
	}
	select {
	case r.forgotten <- struct{}{}:
	default:
	}
}
