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

// makeDatabase makes the file where it is missing, since SQLite would make it
// readable by others; -wal and -shm take their permissions from it.
func makeDatabase(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// openKeyring makes a master key only for a database that has no keyset yet:
// beside one that has, a new key could open nothing and would only hide that
// the right one is missing. Of nodes that start together for the first time
// one makes the keyring, and the others find it.
func openKeyring(ctx context.Context, path string, db *sql.DB, alone func(*sql.Tx) error) (keys *seal.Keyring, err error) {
	err = transact(db, func(tx *sql.Tx) error {
		if err := alone(tx); err != nil {
			return err
		}
		// A move may have taken this database since it was looked at.
		if err := stays(ctx, tx); err != nil {
			return err
		}
		shelf := secretShelf{ctx, tx}
		master, err := seal.ReadMaster(path)
		if errors.Is(err, fs.ErrNotExist) {
			if filled, err := shelf.filled(); err != nil || filled {
				return errors.Join(err, fmt.Errorf("%s is missing: restore it from where it is kept, or copy it from another node; "+
					"without it nothing in this installation can be read", path))
			}
			master, err = makeMaster(path)
		}
		if err == nil {
			keys, err = seal.Open(master, shelf)
		}
		return err
	})
	return keys, err
}

func makeMaster(path string) (key [seal.KeySize]byte, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return key, fmt.Errorf("make the master key: %w", err)
	}
	return seal.MakeMaster(path)
}

// readKeyring opens a keyring that is there.
func readKeyring(ctx context.Context, path string, db querier) (*seal.Keyring, error) {
	master, err := seal.ReadMaster(path)
	if err != nil {
		return nil, err
	}
	shelf := secretShelf{ctx, db}
	if filled, err := shelf.filled(); err != nil || !filled {
		return nil, errors.Join(err, ErrNoData)
	}
	return seal.Open(master, shelf)
}

// secretShelf keeps the keyring's parts in the table of secrets.
type secretShelf struct {
	ctx context.Context
	db  querier
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
