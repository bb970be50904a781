package audit

import (
	"crypto/rand"
	"encoding/binary"
)

// SaltSize is the length of a line's salt in bytes: so many that nobody finds
// an address again from its digest once the salt is gone.
const SaltSize = 16

// Line is a record as it is written, to the byte: the chain is made over what
// lies in the database and not over what it means, because two spellings of
// one address, or two counts of microseconds that overflow alike, would
// otherwise pass for each other.
type Line struct {
	Seq      int64 // from 1, without gaps
	Call     string
	At       int64 // microseconds UTC since 1970
	Took     int64 // microseconds
	Dialect  string
	Service  string
	Method   string
	Account  string
	Outcome  string
	Price    int64 // rials
	Source   string
	Document string

	// What may be erased. It enters the chain through Digest alone.
	Peer    string
	Subject []byte
	Salt    []byte // SaltSize random bytes; none once the line is erased

	Digest []byte
	Link   []byte
}

// Erased tells whether retention has blanked the personal fields.
func (l *Line) Erased() bool { return len(l.Salt) == 0 }

// AppendSalt appends a fresh salt.
func AppendSalt(b []byte) []byte {
	n := len(b)
	b = append(b, make([]byte, SaltSize)...)
	_, _ = rand.Read(b[n:]) // never fails: crypto/rand ends the process instead
	return b
}

// appendPerson encodes what may be erased. A text is its length and its bytes,
// a number is eight bytes, and everything stands at its place: no two lines
// have the same encoding.
func (l *Line) appendPerson(b []byte) []byte {
	b = appendText(b, l.Salt)
	b = appendText(b, l.Peer)
	return appendText(b, l.Subject)
}

// appendBody encodes the rest: all that the link is made over.
func (l *Line) appendBody(b []byte) []byte {
	for _, n := range [...]int64{l.Seq, l.At, l.Took, l.Price} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, s := range [...]string{l.Call, l.Dialect, l.Service, l.Method, l.Account, l.Outcome, l.Source, l.Document} {
		b = appendText(b, s)
	}
	return appendText(b, l.Digest)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
	return append(b, text...)
}
