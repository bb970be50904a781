package event

import (
	"fmt"
	"os"
)

// File is a log file that can be opened anew after it was renamed. It is not
// safe for concurrent use: a Buffer in front of it is.
type File struct {
	path string
	open *os.File
}

// OpenFile opens a file to append to, making it where it is not there,
// readable to its owner alone.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	if err := f.Reopen(); err != nil {
		return nil, err
	}
	return f, nil
}

// Reopen opens the path again. Where that fails, the file that was open stays
// in use.
func (f *File) Reopen() error {
	fresh, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	before := f.open
	f.open = fresh
	if before == nil {
		return nil
	}
	return before.Close()
}

func (f *File) Write(lines []byte) (int, error) { return f.open.Write(lines) }

// Close closes the file.
func (f *File) Close() error { return f.open.Close() }
