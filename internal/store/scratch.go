package store

import (
	"errors"
	"os"
)

// newScratch makes a file that has no name and is gone with the process, whatever
// ends it, in the first of the folders where that is possible; an empty one is the
// system's folder of temporary files.
func newScratch(dirs []string) (*os.File, error) {
	var errs []error
	for _, dir := range dirs {
		f, err := os.CreateTemp(dir, "people-*.tmp")
		if err == nil {
			_ = os.Remove(f.Name()) // where a file that is open cannot be removed, closeScratch does it
			return f, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func closeScratch(f *os.File) error {
	err := f.Close()
	_ = os.Remove(f.Name())
	return err
}
