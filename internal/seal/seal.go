// Package seal owns how personal data and secrets are encrypted at rest, and
// the keyed hash under which they are looked up. A keyset, kept sealed beside
// the data, encrypts; the master key that opens the keyset lies outside the
// database, so that a copy of the database alone tells nothing.
//
// Where sealed bytes are kept is left to the store.
package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

var (
	// ErrMasterKey means that the keyset does not open with this master key.
	ErrMasterKey = errors.New("this data folder was made with another master.key: put the one that belongs to it back")
	// ErrSealed means that the bytes were not sealed by this keyring for this
	// use, or were changed since.
	ErrSealed = errors.New("seal: cannot be opened")
)

// Shelf keeps the keyring's own sealed parts.
type Shelf interface {
	// Load gives what was saved under name; nothing where nothing was.
	Load(name string) ([]byte, error)
	// Save keeps sealed under name; durable when it returns.
	Save(name string, sealed []byte) error
}

// The names on the shelf. Each also goes into the seal, so that one part
// cannot be passed off as the other.
const (
	keysetName = "seal/keyset"
	hashName   = "seal/hash"
)

// Keyring seals, unseals and hashes. It is safe for concurrent use.
type Keyring struct {
	box     tink.AEAD
	hashKey []byte
	// hashers are copied on write: a hash is taken on every call, a new
	// purpose is met a handful of times in the life of a process.
	hashers atomic.Pointer[map[string]*sync.Pool]
	growing sync.Mutex
}

// Open reads the keyring from the shelf, or makes one where the shelf is
// empty. The error is ErrMasterKey where the shelf was filled under another
// master key.
func Open(master [KeySize]byte, shelf Shelf) (*Keyring, error) {
	wrap, err := subtle.NewAESGCM(master[:])
	if err != nil {
		return nil, fmt.Errorf("open the keyring: %w", err)
	}
	k := &Keyring{}
	k.hashers.Store(&map[string]*sync.Pool{})
	if k.box, err = openBox(wrap, shelf); err != nil {
		return nil, fmt.Errorf("open the keyring: %w", err)
	}
	if k.hashKey, err = k.openHashKey(shelf); err != nil {
		return nil, fmt.Errorf("open the keyring: %w", err)
	}
	return k, nil
}

// Seal encrypts plain, bound to what it is (a table and a row, or a use):
// sealed for one thing it cannot be unsealed as another. It adds 33 bytes.
func (k *Keyring) Seal(plain []byte, what string) ([]byte, error) {
	sealed, err := k.box.Encrypt(plain, []byte(what))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Unseal gives back what Seal took under the same what; the error is
// ErrSealed.
func (k *Keyring) Unseal(sealed []byte, what string) ([]byte, error) {
	plain, err := k.box.Decrypt(sealed, []byte(what))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

func openBox(wrap tink.AEAD, shelf Shelf) (tink.AEAD, error) {
	sealed, err := shelf.Load(keysetName)
	if err != nil {
		return nil, err
	}
	var handle *keyset.Handle
	if len(sealed) == 0 {
		handle, err = makeKeyset(wrap, shelf)
	} else if handle, err = keyset.ReadWithAssociatedData(
		keyset.NewBinaryReader(bytes.NewReader(sealed)), wrap, []byte(keysetName)); err != nil {
		return nil, ErrMasterKey
	}
	if err != nil {
		return nil, err
	}
	return aead.New(handle)
}

func makeKeyset(wrap tink.AEAD, shelf Shelf) (*keyset.Handle, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	var sealed bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&sealed), wrap, []byte(keysetName)); err != nil {
		return nil, fmt.Errorf("wrap the keyset: %w", err)
	}
	return handle, shelf.Save(keysetName, sealed.Bytes())
}

func (k *Keyring) openHashKey(shelf Shelf) ([]byte, error) {
	sealed, err := shelf.Load(hashName)
	if err != nil {
		return nil, err
	}
	if len(sealed) > 0 {
		return k.Unseal(sealed, hashName)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	if sealed, err = k.Seal(key, hashName); err != nil {
		return nil, err
	}
	return key, shelf.Save(hashName, sealed)
}

// hasher gives the pool of a purpose's hashers.
func (k *Keyring) hasher(purpose string) *sync.Pool {
	if pool := (*k.hashers.Load())[purpose]; pool != nil {
		return pool
	}
	k.growing.Lock()
	defer k.growing.Unlock()
	known := *k.hashers.Load()
	if pool := known[purpose]; pool != nil {
		return pool
	}
	grown := maps.Clone(known)
	pool := newHasherPool(k.hashKey, purpose)
	grown[purpose] = pool
	k.hashers.Store(&grown)
	return pool
}
