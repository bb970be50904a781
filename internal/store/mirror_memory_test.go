package store_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestMirrorKnowsEarlyHowLargeItIs: what would not fit in the end goes to a file
// long before it fills the memory.
func TestMirrorKnowsEarlyHowLargeItIs(t *testing.T) {
	t.Parallel()
	const blocks, rowsInBlock = 64, 2 // of the whole register
	for name, c := range map[string]struct {
		part   int  // so many parts of the register come: a quarter, if 4
		memory int  // blocks
		sparse bool // in its first eighth are half of the numbers that could be
		file   bool
	}{
		"all of it fits":               {1, blocks * 5 / 4, false, false},
		"a quarter of what would fit":  {4, blocks * 5 / 4, false, false},
		"a quarter of what does not":   {4, blocks / 2, false, true},
		"all of what does not":         {1, blocks / 2, false, true},
		"more than its beginning said": {1, blocks / 2, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var keys, sealed [][]byte
			rows := blocks * rowsInBlock
			for i := range rows / c.part {
				at := (float64(i) + 0.5) / float64(rows) // of all numbers
				if eighth := 1.0 / 8; c.sparse && at < eighth {
					at *= 4
				} else if c.sparse {
					at = 0.5 + (at-eighth)/(1-eighth)/2
				}
				key := make([]byte, 16)
				binary.BigEndian.PutUint64(key, uint64(at*(1<<64))^1<<63) // the smallest is negative
				keys, sealed = append(keys, key), append(sealed, bytes.Repeat([]byte{byte(i)}, store.MirrorBlock/rowsInBlock-30))
			}
			m, err := store.NewMirrorOf(t.TempDir(), c.memory*store.MirrorBlock, 8*store.MirrorBlock, keys, sealed)
			must(t, err)
			if m.HasFile() != c.file {
				t.Errorf("in a file: %v", m.HasFile())
			}
			for i, key := range keys {
				if !bytes.Equal(m.Find(key), sealed[i]) {
					t.Fatalf("row %d is another one", i)
				}
			}
			must(t, m.Close())
		})
	}
}

// TestMirrorIsReplacedUnderReaders: the memory of one is given back when nobody
// reads it any more, and not before.
func TestMirrorIsReplacedUnderReaders(t *testing.T) {
	t.Parallel()
	const n = 500
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{PeopleMemory: 8 << 20})
	must(t, s.PutPeople(t.Context(), storetest.People(0, n), nil))
	mirrored(t, s, n)
	ended := make(chan struct{})
	var readers sync.WaitGroup
	for first := range 4 {
		readers.Go(func() {
			for i := first; ; i++ {
				select {
				case <-ended:
					return
				default:
				}
				if name, found := asked(t, s, i%n, storetest.Somebody(i%n).BirthDate); !found || name != storetest.Somebody(i%n).LastName {
					t.Errorf("person %d is %q", i%n, name)
					return
				}
			}
		})
	}
	for range 30 {
		mirrored(t, s, n)
		runtime.GC()
	}
	if store.MirrorHasFile(s) {
		t.Error("it is in a file")
	}
	close(ended)
	readers.Wait()
}
