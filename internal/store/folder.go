package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"dargah.dev/dargah/internal/seal"
)

// The files of a data folder, beside SQLite's own -wal and -shm.
const (
	lockName     = "lock"
	databaseName = "dargah.db"
	masterName   = "master.key"
)

func lockFolder(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !got {
		return nil, ErrInUse
	}
	return lock, nil
}

// databaseFile gives the absolute path of the database. It makes the file
// where it is missing, since SQLite would make it readable by others; -wal and
// -shm take their permissions from it.
func databaseFile(dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, databaseName))
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return path, f.Close()
}

// openKeyring makes a master key only for a database that has no keyset yet:
// beside one that has, a new key could open nothing and would only hide that
// the right one is missing.
func openKeyring(ctx context.Context, path string, db *sql.DB) (*seal.Keyring, error) {
	shelf := secretShelf{ctx, db}
	master, err := seal.ReadMaster(path)
	if errors.Is(err, fs.ErrNotExist) {
		if filled, err := shelf.filled(); err != nil || filled {
			return nil, errors.Join(err, fmt.Errorf("%s is missing: restore it from where it is kept; without it nothing in this folder can be read", path))
		}
		master, err = seal.MakeMaster(path)
	}
	if err != nil {
		return nil, err
	}
	return seal.Open(master, shelf)
}

// secretShelf keeps the keyring's parts in the table of secrets.
type secretShelf struct {
	ctx context.Context
	db  *sql.DB
}

func (s secretShelf) filled() (bool, error) {
	var n int
	err := s.db.QueryRowContext(s.ctx, `SELECT count(*) FROM secret`).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("count secrets: %w", err)
	}
	return n > 0, nil
}

func (s secretShelf) Load(name string) ([]byte, error) {
	var sealed []byte
	err := s.db.QueryRowContext(s.ctx, `SELECT sealed FROM secret WHERE name = $1`, name).Scan(&sealed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("load a secret: %w", err)
	}
	return sealed, nil
}

func (s secretShelf) Save(name string, sealed []byte) error {
	if _, err := s.db.ExecContext(s.ctx, `INSERT INTO secret (name, sealed) VALUES ($1, $2)`, name, sealed); err != nil {
		return fmt.Errorf("save a secret: %w", err)
	}
	return nil
}
