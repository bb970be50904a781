package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// HashSize is the length of a keyed hash in bytes. Half of SHA-256 is enough
// that no two of a hundred million people meet (one chance in 10^22), and it
// halves the index.
const HashSize = 16

// hasher is one HMAC with the scratch space that keeps it from allocating.
type hasher struct {
	mac     hash.Hash
	in, out []byte
}

// Hash is the keyed hash of a value, HashSize bytes: the same for the same
// purpose and value in this installation, and without the key not to be found
// by trying all values. Purposes are constants of the program, each with a
// key of its own; they are never made from input.
func (k *Keyring) Hash(purpose, value string) []byte {
	return k.AppendHash(make([]byte, 0, HashSize), purpose, value)
}

// AppendHash is Hash, appended to dst.
func (k *Keyring) AppendHash(dst []byte, purpose, value string) []byte {
	pool := k.hasher(purpose)
	h := pool.Get().(*hasher)
	h.in = append(h.in[:0], value...)
	h.mac.Reset()
	h.mac.Write(h.in)
	h.out = h.mac.Sum(h.out[:0])
	dst = append(dst, h.out[:HashSize]...)
	pool.Put(h)
	return dst
}

// Key gives a key of 32 bytes for a purpose, the same at each opening, for
// whoever needs a whole HMAC of its own. No purpose of Hash has the same key.
func (k *Keyring) Key(purpose string) []byte { return derive(k.hashKey, "dargah key "+purpose) }

func newHasherPool(key []byte, purpose string) *sync.Pool {
	sub := derive(key, "dargah hash "+purpose)
	return &sync.Pool{New: func() any { return &hasher{mac: hmac.New(sha256.New, sub)} }}
}

func derive(key []byte, use string) []byte {
	sub, err := hkdf.Key(sha256.New, key, nil, use, sha256.Size)
	if err != nil {
		panic("seal: " + err.Error()) // only for a length that HKDF cannot give
	}
	return sub
}
