package sms

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
)

// Names gives messages and batches the names that smsafzar's callers know them
// by: GUIDs that look like random ones. A name says its number only to who has
// the key, and nobody without it can make one up, so nothing needs to be stored
// to find a message by its name. Names of one key never meet: a name gives back
// its kind and number, and no other.
//
// Of a GUID's 122 free bits, 58 are a tag of kind and number, and 64 the number
// under a pad made of the tag, as SIV (RFC 5297) does with what may not get a
// nonce. Both functions are AES of a single block.
type Names struct{ tags, pads cipher.Block }

// The kinds of things that have names.
const (
	nameOfMessage  = 1
	nameOfBatch    = 2
	nameOfIncoming = 3
)

// NewNames takes a key of which nothing else is made.
func NewNames(key [32]byte) *Names {
	return &Names{tags: block(key[:16]), pads: block(key[16:])}
}

func block(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("a key of 16 bytes was refused: " + err.Error())
	}
	return b
}

// Message is a message's name, lower-case.
func (n *Names) Message(id int64) string { return n.name(nameOfMessage, id) }

// Batch is a batch's name, lower-case.
func (n *Names) Batch(id int64) string { return n.name(nameOfBatch, id) }

// Incoming is the name of a message from a phone, lower-case.
func (n *Names) Incoming(id int64) string { return n.name(nameOfIncoming, id) }

// ParseMessage gives the number back; false for what Message never gave. Hyphens
// must be in their places, letters may be of either case.
func (n *Names) ParseMessage(name string) (id int64, ok bool) { return n.parse(nameOfMessage, name) }

// ParseBatch is ParseMessage for batches.
func (n *Names) ParseBatch(name string) (id int64, ok bool) { return n.parse(nameOfBatch, name) }

// lowBits are those of the number under its pad that the GUID's second half
// holds, after its two bits of variant.
const lowBits = 62

func (n *Names) name(kind byte, id int64) string {
	tag := n.tag(kind, id)
	hidden := uint64(id) ^ n.pad(tag)
	high := tag<<2 | hidden>>lowBits // 60 bits, around the version
	var guid [16]byte
	binary.BigEndian.PutUint64(guid[:], high>>12<<16|4<<12|high&0xfff)
	binary.BigEndian.PutUint64(guid[8:], 2<<lowBits|hidden&(1<<lowBits-1))
	return spell(guid)
}

func (n *Names) parse(kind byte, name string) (int64, bool) {
	guid, ok := unspell(name)
	first, second := binary.BigEndian.Uint64(guid[:]), binary.BigEndian.Uint64(guid[8:])
	if !ok || first>>12&0xf != 4 || second>>lowBits != 2 {
		return 0, false
	}
	high := first>>16<<12 | first&0xfff
	tag := high >> 2
	id := int64((high&3<<lowBits | second&(1<<lowBits-1)) ^ n.pad(tag))
	// How long comparing two words takes tells nothing of them.
	return id, n.tag(kind, id) == tag
}

// tag is 58 bits.
func (n *Names) tag(kind byte, id int64) uint64 {
	var b [16]byte
	b[0] = kind
	binary.BigEndian.PutUint64(b[8:], uint64(id))
	n.tags.Encrypt(b[:], b[:])
	return binary.BigEndian.Uint64(b[:]) >> 6
}

func (n *Names) pad(tag uint64) uint64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], tag)
	n.pads.Encrypt(b[:], b[:])
	return binary.BigEndian.Uint64(b[:])
}

// groups are where the digits of a GUID stand, and which bytes they are.
var groups = [...]struct{ at, from, to int }{{0, 0, 4}, {9, 4, 6}, {14, 6, 8}, {19, 8, 10}, {24, 10, 16}}

const spelled = 36 // characters

func spell(guid [16]byte) string {
	var text [spelled]byte
	for _, g := range groups {
		if g.at > 0 {
			text[g.at-1] = '-'
		}
		hex.Encode(text[g.at:], guid[g.from:g.to])
	}
	return string(text[:])
}

func unspell(text string) (guid [16]byte, ok bool) {
	if len(text) != spelled {
		return guid, false
	}
	for _, g := range groups {
		digits := []byte(text[g.at : g.at+2*(g.to-g.from)])
		if _, err := hex.Decode(guid[g.from:g.to], digits); err != nil || g.at > 0 && text[g.at-1] != '-' {
			return guid, false
		}
	}
	return guid, true
}
