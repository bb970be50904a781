package seal_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/seal"
)

// shelf keeps the keyring's parts in memory.
type shelf map[string][]byte

func (s shelf) Load(name string) ([]byte, error) { return s[name], nil }

func (s shelf) Save(name string, sealed []byte) error {
	s[name] = sealed
	return nil
}

func open(t testing.TB, master byte, on seal.Shelf) *seal.Keyring {
	t.Helper()
	k, err := seal.Open([seal.KeySize]byte{master}, on)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealed(t *testing.T) {
	t.Parallel()
	k := open(t, 1, shelf{})
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		what := rapid.String().Draw(t, "what")
		sealed, err := k.Seal(plain, what)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Unseal(sealed, what); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%x came back as %x: %v", plain, got, err)
		}
		if _, err := k.Unseal(sealed, what+"x"); !errors.Is(err, seal.ErrSealed) {
			t.Fatalf("unsealed as another thing: %v", err)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "byte")
		changed := bytes.Clone(sealed)
		changed[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := k.Unseal(changed, what); !errors.Is(err, seal.ErrSealed) {
			t.Fatalf("unsealed although byte %d was changed: %v", at, err)
		}
		if _, err := k.Unseal(sealed[:at], what); !errors.Is(err, seal.ErrSealed) {
			t.Fatalf("unsealed although cut to %d bytes: %v", at, err)
		}
	})
}

func TestSealingTwiceDiffers(t *testing.T) {
	t.Parallel()
	k := open(t, 1, shelf{})
	seen := map[string]bool{}
	for range 1000 {
		sealed, err := k.Seal([]byte("the same"), "x")
		if err != nil || seen[string(sealed)] {
			t.Fatal("the same bytes twice", err)
		}
		seen[string(sealed)] = true
	}
}

func TestOpenedAgain(t *testing.T) {
	t.Parallel()
	on := shelf{}
	first := open(t, 1, on)
	sealed, err := first.Seal([]byte("kept"), "x")
	if err != nil {
		t.Fatal(err)
	}
	second := open(t, 1, on)
	if plain, err := second.Unseal(sealed, "x"); err != nil || string(plain) != "kept" {
		t.Errorf("%q: %v", plain, err)
	}
	if !bytes.Equal(first.Hash("p", "v"), second.Hash("p", "v")) {
		t.Error("the hashes differ")
	}
	if _, err := seal.Open([seal.KeySize]byte{2}, on); !errors.Is(err, seal.ErrMasterKey) {
		t.Errorf("opened with another master key: %v", err)
	}
	// The parts of one installation are of no use in another.
	foreign := shelf{}
	open(t, 1, foreign)
	foreign["seal/hash"] = on["seal/hash"]
	if _, err := seal.Open([seal.KeySize]byte{1}, foreign); err == nil {
		t.Error("opened with another installation's hash key")
	}
}

// brokenShelf fails after so many operations.
type brokenShelf struct {
	shelf
	left int
}

var errBroken = errors.New("broken")

func (s *brokenShelf) Load(name string) ([]byte, error) {
	if s.left--; s.left < 0 {
		return nil, errBroken
	}
	return s.shelf.Load(name)
}

func (s *brokenShelf) Save(name string, sealed []byte) error {
	if s.left--; s.left < 0 {
		return errBroken
	}
	return s.shelf.Save(name, sealed)
}

// TestOpenInterrupted: whatever the shelf fails at (the third time the keyset is
// there already), the next opening works.
func TestOpenInterrupted(t *testing.T) {
	t.Parallel()
	on := shelf{}
	for _, left := range []int{0, 1, 2, 2} {
		if _, err := seal.Open([seal.KeySize]byte{1}, &brokenShelf{on, left}); !errors.Is(err, errBroken) {
			t.Errorf("after %d operations: %v", left, err)
		}
	}
	open(t, 1, on)
}

func TestHash(t *testing.T) {
	t.Parallel()
	k, other := open(t, 1, shelf{}), open(t, 1, shelf{})
	same := k.Hash("person", "1234")
	if len(same) != seal.HashSize || !bytes.Equal(same, k.Hash("person", "1234")) {
		t.Errorf("%x, then %x", same, k.Hash("person", "1234"))
	}
	for name, hash := range map[string][]byte{
		"another value":        k.Hash("person", "1235"),
		"another purpose":      k.Hash("audit", "1234"),
		"the border moved":     k.Hash("person1", "234"),
		"another installation": other.Hash("person", "1234"),
	} {
		if bytes.Equal(hash, same) {
			t.Errorf("%s: the same hash", name)
		}
	}
	if got := k.AppendHash([]byte("before"), "person", "1234"); string(got) != "before"+string(same) {
		t.Errorf("appended: %q", got)
	}
}

// TestKey: the same at each opening, another for each purpose and installation,
// and none that hashes are taken with.
func TestKey(t *testing.T) {
	t.Parallel()
	kept := shelf{}
	first := open(t, 1, kept).Key("a")
	if again := open(t, 1, kept).Key("a"); len(first) != 32 || !bytes.Equal(first, again) {
		t.Errorf("%d bytes, the same again: %v", len(first), bytes.Equal(first, again))
	}
	if bytes.Equal(first, open(t, 1, kept).Key("b")) || bytes.Equal(first, open(t, 1, shelf{}).Key("a")) {
		t.Error("another purpose or installation has the same key")
	}
	mac := hmac.New(sha256.New, first)
	mac.Write([]byte("value"))
	if bytes.HasPrefix(mac.Sum(nil), open(t, 1, kept).Hash("a", "value")) {
		t.Error("hashes of this purpose are taken with the same key")
	}
}

func TestHashTogether(t *testing.T) {
	t.Parallel()
	k := open(t, 1, shelf{})
	var wg sync.WaitGroup
	got := make([][]byte, 32)
	for i := range got {
		wg.Go(func() {
			for range 100 {
				got[i] = k.Hash("purpose", "value")
			}
		})
	}
	wg.Wait()
	for i := range got {
		if !bytes.Equal(got[i], got[0]) {
			t.Fatal("hashes of one value differ")
		}
	}
}

func TestMasterFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := seal.ReadMaster(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no file: %v", err)
	}
	made, err := seal.MakeMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := seal.ReadMaster(path); err != nil || read != made {
		t.Errorf("read another key than was made: %v", err)
	}
	if _, err := seal.MakeMaster(path); err == nil {
		t.Error("a key was overwritten")
	}
	if read, err := seal.ReadMaster(path); err != nil || read != made {
		t.Errorf("the key was changed: %v", err)
	}
}

func TestMasterFileRefused(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("0a", seal.KeySize)
	for name, row := range map[string]struct {
		text string
		good bool
	}{
		"as made":          {good + "\n", true},
		"capitals, blanks": {" " + strings.ToUpper(good) + "\r\n", true},
		"empty":            {"", false},
		"short":            {good[2:], false},
		"long":             {good + "00", false},
		"odd":              {good[1:], false},
		"not hexadecimal":  {"zz" + good[2:], false},
		"raw bytes":        {strings.Repeat("\x01", seal.KeySize), false},
	} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := seal.ReadMaster(path)
		if (err == nil) != row.good {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && len(row.text) > 2 && strings.Contains(err.Error(), strings.TrimSpace(row.text)[:3]) {
			t.Errorf("%s: the error tells a part of the key: %v", name, err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	k := open(b, 1, shelf{})
	dst := make([]byte, 0, seal.HashSize)
	b.ReportAllocs()
	for b.Loop() {
		dst = k.AppendHash(dst[:0], "person", "1234567890")
	}
}

func BenchmarkUnseal(b *testing.B) {
	k := open(b, 1, shelf{})
	sealed, err := k.Seal(make([]byte, 400), "person/x")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Unseal(sealed, "person/x"); err != nil {
			b.Fatal(err)
		}
	}
}
