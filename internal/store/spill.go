package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// spillParts is how many files a spill has: of a hundred million people one
// still fits into memory.
const spillParts = 256

// spill keeps sealed people in files until all are there, so that they can be
// written in the order of the table. Who writes them as they come visits the
// whole register again with each group, and writes it anew: with ten million
// people that is most of the time, and thirty times the disk's work.
//
// The files have no name: they are gone with the process, whatever ends it.
type spill struct {
	files []*os.File
	out   []*bufio.Writer
}

func newSpill(dirs []string) (*spill, error) {
	s := &spill{}
	for range spillParts {
		f, err := newScratch(dirs)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.files, s.out = append(s.files, f), append(s.out, bufio.NewWriter(f))
	}
	return s, nil
}

func (s *spill) close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, closeScratch(f))
	}
	return errors.Join(errs...)
}

// part is the file of a number: they are in the numbers' order.
func part(id int64) int {
	return int((uint64(id) ^ 1<<63) / (1 << 64 / spillParts)) //nolint:gosec // all of its bits
}

func (s *spill) add(rows []sealedPerson) error {
	var head [8 + len(personKey{}.rest) + 4]byte
	for i := range rows {
		r := &rows[i]
		binary.BigEndian.PutUint64(head[:], uint64(r.key.id)) //nolint:gosec // all of its bits
		copy(head[8:], r.key.rest[:])
		binary.BigEndian.PutUint32(head[8+len(r.key.rest):], uint32(len(r.sealed))) //nolint:gosec // a row is small
		to := s.out[part(r.key.id)]
		_, _ = to.Write(head[:]) // the writer keeps the error
		if _, err := to.Write(r.sealed); err != nil {
			return fmt.Errorf("put people aside: %w", err)
		}
	}
	return nil
}

// read appends the people of a part, as they came.
func (s *spill) read(part int, to []sealedPerson) ([]sealedPerson, error) {
	err := s.out[part].Flush()
	if err == nil {
		_, err = s.files[part].Seek(0, io.SeekStart)
	}
	in := bufio.NewReaderSize(s.files[part], 1<<20)
	for err == nil {
		var r sealedPerson
		if r, err = readSealed(in); err == nil {
			to = append(to, r)
		}
	}
	if errors.Is(err, io.EOF) {
		return to, nil
	}
	return to, fmt.Errorf("read people who were put aside: %w", err)
}

func readSealed(in io.Reader) (r sealedPerson, err error) {
	var head [8 + len(r.key.rest) + 4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return r, err
	}
	r.key.id = int64(binary.BigEndian.Uint64(head[:])) //nolint:gosec // all of its bits
	copy(r.key.rest[:], head[8:])
	r.sealed = make([]byte, binary.BigEndian.Uint32(head[8+len(r.key.rest):]))
	if _, err = io.ReadFull(in, r.sealed); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return r, err
}
