package store

import (
	"net/url"
	"path/filepath"
)

// Location is where an installation lies.
type Location struct {
	// Dir is the data folder. It holds the master key and, on SQLite, the
	// database.
	Dir string
	// Database is a postgres:// URL; empty for SQLite in Dir.
	Database string
	// MasterKey is the file that holds the master key; empty for
	// Dir/master.key.
	MasterKey string
}

// Folder is an installation on SQLite that lies in one folder.
func Folder(dir string) Location { return Location{Dir: dir} }

// String names the location without its password.
func (l Location) String() string {
	if l.Database == "" {
		return l.Dir
	}
	u, err := url.Parse(l.Database)
	if err != nil {
		return "postgres" // the text that could not be read may hold a password
	}
	u.RawQuery = "" // which may hold a password too
	return u.Redacted()
}

// master is the path of the master key.
func (l Location) master() string {
	if l.MasterKey != "" {
		return l.MasterKey
	}
	return filepath.Join(l.Dir, masterName)
}

// MasterFile is the path of the master key.
func (l Location) MasterFile() string { return l.master() }
