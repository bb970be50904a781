package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Remove empties a data folder of what a Store keeps in it; other files stay.
// A folder that another process has open is ErrInUse and is left alone.
func Remove(dir string) error {
	lock, err := lockFolder(dir)
	if err != nil {
		return err
	}
	var faults []error
	for _, name := range []string{databaseName, databaseName + "-wal", databaseName + "-shm", masterName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(append(faults, lock.Unlock())...)
}
