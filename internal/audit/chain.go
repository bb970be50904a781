package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// What each hash begins with, so that the bytes of one can never stand for
// another's. The number is that of the encoding.
const (
	labelRecord  = "dargah audit record 1\n"
	labelPerson  = "dargah audit person 1\n"
	labelErasure = "dargah audit erasure 1\n"
)

// Link ties a record to all before it. The zero Link is before the first.
type Link [sha256.Size]byte

// Head is the end of the trail: the last record's number, 0 where there is
// none, and its link. Whoever keeps a head elsewhere can tell later that
// nothing up to it was changed or cut off.
type Head struct {
	Seq  int64
	Link Link
}

// String is the head as SEQ:HEX.
func (h Head) String() string {
	return strconv.FormatInt(h.Seq, 10) + ":" + hex.EncodeToString(h.Link[:])
}

// ParseHead reads what String writes.
func ParseHead(s string) (Head, error) {
	number, link, found := strings.Cut(s, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if !found || err != nil || seq < 0 || len(link) != hex.EncodedLen(len(Link{})) {
		return Head{}, errors.New("a head is a number, a colon and 64 hexadecimal digits")
	}
	h := Head{Seq: seq}
	if _, err := hex.Decode(h.Link[:], []byte(link)); err != nil {
		return Head{}, fmt.Errorf("a head's link: %w", err)
	}
	return h, nil
}

// Chain computes links under a key that lies outside the database: who can
// write there, and nowhere else, cannot make a chain that holds. It is not
// safe for concurrent use.
type Chain struct {
	mac hash.Hash
	buf []byte
}

// NewChain makes a chain with this key.
func NewChain(key []byte) *Chain { return &Chain{mac: hmac.New(sha256.New, key)} }

// Link gives the line's link after the record whose link is before. The line's
// Digest must be there; its Link is not looked at.
func (c *Chain) Link(before Link, l *Line) Link {
	c.buf = append(c.buf[:0], labelRecord...)
	c.buf = append(c.buf, before[:]...)
	c.buf = l.appendBody(c.buf)
	return c.sum()
}

// Mark vouches for an erasure of all that was before this moment (microseconds
// UTC), so that blanked fields can be told from an intruder's.
func (c *Chain) Mark(before int64) Link {
	c.buf = append(c.buf[:0], labelErasure...)
	c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(before))
	return c.sum()
}

// Digest gives the digest of what may be erased. It has no key: what keeps it
// from being guessed is the salt, and that goes when the line is erased.
func (c *Chain) Digest(l *Line) Link {
	c.buf = append(c.buf[:0], labelPerson...)
	c.buf = l.appendPerson(c.buf)
	return sha256.Sum256(c.buf)
}

func (c *Chain) sum() (link Link) {
	c.mac.Reset()
	c.mac.Write(c.buf)
	c.mac.Sum(link[:0])
	return link
}
