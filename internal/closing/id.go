package closing

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// NewID makes the id of a call that began at a moment: 48 bits of milliseconds
// and 80 random bits in an alphabet that keeps their order, so that ids rise
// with time and the store's indexes grow at their end.
func NewID(at time.Time) string {
	b := first(at)
	_, _ = rand.Read(b[6:]) // never fails: crypto/rand panics instead
	return ordered.EncodeToString(b[:])
}

// FirstID is the lowest id that a call of the moment, or of a later one, can
// have. Of moments before 1970 it is that of 1970.
func FirstID(at time.Time) string {
	b := first(at)
	return ordered.EncodeToString(b[:])
}

func first(at time.Time) (b [16]byte) {
	binary.BigEndian.PutUint64(b[:8], uint64(max(at.UnixMilli(), 0))<<16) //nolint:gosec // not below 0
	return b
}

var ordered = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)
