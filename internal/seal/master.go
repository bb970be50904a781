package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// KeySize is the length of the master key in bytes.
const KeySize = 32

// ReadMaster reads a master key file: 64 hexadecimal digits. A file that is
// not there is fs.ErrNotExist.
func ReadMaster(path string) ([KeySize]byte, error) {
	var key [KeySize]byte
	text, err := os.ReadFile(path)
	if err != nil {
		return key, fmt.Errorf("read the master key: %w", err)
	}
	text = bytes.TrimSpace(text)
	if hex.DecodedLen(len(text)) != KeySize {
		return key, fmt.Errorf("read the master key: %s must hold %d hexadecimal digits", path, hex.EncodedLen(KeySize))
	}
	if _, err := hex.Decode(key[:], text); err != nil {
		// The library's text would quote a character of the key.
		return [KeySize]byte{}, fmt.Errorf("read the master key: %s holds something other than hexadecimal digits", path)
	}
	return key, nil
}

// MakeMaster writes a new master key where there is no file yet, readable by
// its owner alone. It is on disk when MakeMaster returns: what is sealed under
// a key that a power cut takes away is lost.
func MakeMaster(path string) ([KeySize]byte, error) {
	var key [KeySize]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand ends the process instead
	if err := writeNew(path, hex.AppendEncode(nil, key[:])); err != nil {
		return [KeySize]byte{}, fmt.Errorf("make the master key: %w", err)
	}
	return key, nil
}

// writeNew makes the file under another name first, so that a crash never
// leaves half a key behind.
func writeNew(path string, text []byte) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is already there", path)
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the file's name durable too. Windows has no such call and
// does it by itself.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
