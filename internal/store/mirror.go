package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// mirrorBlock is what a look-up reads of a mirror: some ten people. A row that
// does not fit into one is left to the database.
const mirrorBlock = 2 << 10

// mirrorHead is what stands before each sealed row: the key, and how many bytes
// follow. A block ends with a row of none.
const mirrorHead = 8 + len(personKey{}.rest) + 2

// mirror is a copy of the register in memory or, where it is too large, in a file
// of its own: sealed rows in the order of their numbers, in blocks. With each
// block's first number in memory somebody is one block away, whatever is committed
// meanwhile; to SQLite's readers each commit means to walk the pages of the tree
// again, and PostgreSQL is a trip away.
//
// The file has no name and is gone with the process.
type mirror struct {
	file   *os.File // nil while all is in chunks: a read of a file is a system call
	chunks [][]byte // of the system's memory, each of so many blocks; gone with the mirror
	first  []int64  // the number of each block's first row
	rows   int
	// since is the number of the version of people up to which changes are in
	// here, or noted.
	since int64
	void  bool // anybody may have been changed

	elsewhere sync.Map     // numbers of rows that are to be read from the database
	noted     atomic.Int64 // how many
	large     int64        // those of them that do not fit into a block
	lacking   atomic.Int64 // how often somebody was found in the database who is not here
}

func (m *mirror) close() error {
	if m.file == nil {
		return nil
	}
	return closeScratch(m.file)
}

var blockPool = sync.Pool{New: func() any { return new([mirrorBlock]byte) }}

// with gives somebody's row to do, which must not keep it: nil where there is
// none that is in force.
func (m *mirror) with(key personKey, do func(sealed []byte) bool) bool {
	i, exact := slices.BinarySearch(m.first, key.id)
	if !exact {
		i--
	}
	if i < 0 || m.left(key.id) {
		return do(nil)
	}
	if m.file == nil {
		defer runtime.KeepAlive(m) // and with it its chunks
		return do(sealedIn(m.block(i), key))
	}
	block := blockPool.Get().(*[mirrorBlock]byte)
	defer blockPool.Put(block)
	if _, err := m.file.ReadAt(block[:], int64(i)*mirrorBlock); err != nil {
		return do(nil)
	}
	return do(sealedIn(block[:], key))
}

// chunkBlocks is how many blocks are in a chunk.
const chunkBlocks = 2 << 10

// block is the i-th of those in chunks, which the caller keeps alive.
func (m *mirror) block(i int) []byte {
	return m.chunks[i/chunkBlocks][i%chunkBlocks*mirrorBlock:][:mirrorBlock]
}

// sealedIn finds a row in a block.
func sealedIn(block []byte, key personKey) []byte {
	for len(block) > mirrorHead {
		id := int64(binary.BigEndian.Uint64(block)) //nolint:gosec // all of its bits
		n := mirrorHead + int(binary.BigEndian.Uint16(block[mirrorHead-2:]))
		if n == mirrorHead || n > len(block) {
			return nil
		}
		if id == key.id {
			if [len(key.rest)]byte(block[8:]) != key.rest {
				return nil // somebody else's, who has the number
			}
			return block[mirrorHead:n]
		}
		block = block[n:]
	}
	return nil
}

// left tells whether a row is left to the database.
func (m *mirror) left(id int64) bool {
	if m.noted.Load() == 0 {
		return false
	}
	_, left := m.elsewhere.Load(id)
	return left
}

// note leaves a row to the database from now on.
func (m *mirror) note(id int64) {
	if _, there := m.elsewhere.LoadOrStore(id, struct{}{}); !there {
		m.noted.Add(1)
	}
}

// worn tells whether so much is missing, or not in force, that a new one is
// worth its while.
func (m *mirror) worn() bool {
	much := int64(max(1000, m.rows/64))
	return m.noted.Load()-m.large > much || m.lacking.Load() > much
}

// mirrorWriter fills a mirror with rows in the order of their numbers.
type mirrorWriter struct {
	to    *mirror
	of    *mirrors
	block []byte
	// Of the chunks, until the mirror is collected.
	cleanups []runtime.Cleanup
}

func (w *mirrorWriter) add(id int64, rest, sealed []byte) error {
	var key personKey
	if len(rest) != len(key.rest) {
		return fmt.Errorf("a row's key has %d bytes instead of %d", len(rest), len(key.rest))
	}
	n := mirrorHead + len(sealed)
	if n > mirrorBlock {
		w.to.note(id)
		w.to.large++
		return nil
	}
	if len(w.block)+n > mirrorBlock {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if len(w.block) == 0 {
		w.to.first = append(w.to.first, id)
	}
	w.block = binary.BigEndian.AppendUint64(w.block, uint64(id)) //nolint:gosec // all of its bits
	w.block = append(w.block, rest...)
	w.block = binary.BigEndian.AppendUint16(w.block, uint16(len(sealed))) //nolint:gosec // below mirrorBlock
	w.block = append(w.block, sealed...)
	w.to.rows++
	return nil
}

// flush ends the block under way.
func (w *mirrorWriter) flush() error {
	if len(w.block) == 0 {
		return nil
	}
	full := slices.Grow(w.block, mirrorBlock)[:mirrorBlock]
	clear(full[len(w.block):])
	w.block = full[:0]
	if w.to.file == nil {
		if w.fits() {
			return w.hold(full)
		}
		if err := w.spill(); err != nil {
			return err
		}
	}
	_, err := w.to.file.Write(full)
	return err
}

// fits tells whether all may stay in memory. That is judged early, by how far the
// numbers have come: they are hashes, of which as many come in each part.
func (w *mirrorWriter) fits() bool {
	held := int64(len(w.to.first)) * mirrorBlock
	if held == w.of.sample {
		const all, slack = 1 << 64, 0.95
		part := (float64(w.to.first[len(w.to.first)-1]) - math.MinInt64) / all
		if float64(held)/part > slack*float64(w.of.memory) {
			return false
		}
	}
	return held <= w.of.memory
}

// hold keeps a block in memory.
func (w *mirrorWriter) hold(full []byte) error {
	m, i := w.to, len(w.to.first)-1
	if i == len(m.chunks)*chunkBlocks {
		// Gigabytes in the heap would have the collector wait for five times as many.
		chunk, err := newChunk(chunkBlocks * mirrorBlock)
		if err != nil {
			return fmt.Errorf("get memory: %w", err)
		}
		m.chunks = append(m.chunks, chunk)
		w.cleanups = append(w.cleanups, runtime.AddCleanup(m, freeChunk, chunk))
	}
	copy(m.block(i), full)
	return nil
}

// spill moves what is in memory to a file.
func (w *mirrorWriter) spill() error {
	f, err := newScratch(w.of.dirs)
	if err != nil {
		return err
	}
	w.to.file = f
	if err := w.of.hasRoom(f); err != nil {
		return err
	}
	for i := range len(w.to.first) - 1 {
		if _, err := f.Write(w.to.block(i)); err != nil {
			return err
		}
	}
	for i, chunk := range w.to.chunks {
		w.cleanups[i].Stop()
		freeChunk(chunk)
	}
	w.to.chunks, w.cleanups = nil, nil
	return nil
}

// mirrors has the mirror that is in force. Whoever changes somebody says so
// before the change is told as done, and from then on nobody is answered from
// before it; changes by others are followed within a second.
type mirrors struct {
	dirs   []string // where one may be made; empty is the system's folder of temporary files
	room   int64    // bytes of the disk that are left to others
	memory int64    // bytes that a mirror may have without a file
	sample int64    // so many bytes tell how large it will be
	now    atomic.Pointer[mirror]
	// missed has a signal when a new mirror is worth its while.
	missed chan struct{}

	mu     sync.Mutex // for what is in force and being made, and what is noted in them
	making *mirror

	following sync.Mutex // while it is found out what others changed
}

func newMirrors(dirs []string) *mirrors {
	return &mirrors{dirs: dirs, room: mirrorRoom, memory: mirrorMemory, sample: mirrorMemory, missed: make(chan struct{}, 1)}
}

// with is mirror.with of the mirror in force.
func (c *mirrors) with(key personKey, do func(sealed []byte) bool) bool {
	m := c.now.Load()
	return m != nil && m.with(key, do)
}

// lacks notes that somebody was found who is not in the mirror.
func (c *mirrors) lacks(key personKey) {
	if m := c.now.Load(); m != nil && !m.left(key.id) {
		m.lacking.Add(1)
		if m.worn() {
			c.ask()
		}
	}
}

// ask asks for a new mirror.
func (c *mirrors) ask() {
	select {
	case c.missed <- struct{}{}:
	default:
	}
}

// begin has a mirror that is being made hear of changes.
func (c *mirrors) begin(m *mirror) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.making = m
}

// end puts the mirror that was being made in force, if it is of any use, and
// tells how many people it has.
func (c *mirrors) end(m *mirror, err error) (people int, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.making = nil
	if err != nil || m.void {
		return 0, errors.Join(err, m.close())
	}
	select {
	case <-c.missed: // it was about the one before
	default:
	}
	return m.rows, c.replace(m)
}

// replace puts another mirror in force, or none; the mutex is held.
func (c *mirrors) replace(m *mirror) error {
	if old := c.now.Swap(m); old != nil {
		return old.close()
	}
	return nil
}

// changed notes whose rows were changed: of few, or anybody's.
func (c *mirrors) changed(ids []int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range [...]*mirror{c.now.Load(), c.making} {
		if m != nil {
			c.mark(m, ids, few(ids))
		}
	}
}

// mark notes in one of them whose rows were changed; the mutex is held.
func (c *mirrors) mark(m *mirror, ids []int64, few bool) {
	for _, id := range ids {
		m.note(id)
	}
	m.void = m.void || !few
	inForce := m == c.now.Load()
	if m.void || inForce && m.worn() {
		c.ask()
	}
	if m.void && inForce {
		_ = c.replace(nil) // of a file that was only read nothing can be lost
	}
}

func (c *mirrors) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replace(nil)
}
