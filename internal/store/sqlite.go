package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// What both kinds of connection are told. Transactions take the write lock at
// once: one that reads first and writes later fails at its first write when
// another came between, whatever the timeout. FULL makes each commit wait for
// the disk; less, and a power cut takes back what was answered.
var pragmas = url.Values{
	"_txlock":       {"immediate"},
	"_busy_timeout": {"2000"},
	"_journal_mode": {"WAL"},
	"_synchronous":  {"FULL"},
	"_foreign_keys": {"1"},
	"_pragma":       {"cache_size(-8192)", "journal_size_limit(67108864)", "temp_store(memory)", "wal_autocheckpoint(4000)"},
}

// sqliteDSN names the database file at an absolute path.
func sqliteDSN(path string, readOnly bool) string {
	query := url.Values{}
	for name, values := range pragmas {
		query[name] = values
	}
	if readOnly {
		query.Set("_query_only", "1")
	}
	return (&url.URL{Scheme: "file", Path: slashed(path), RawQuery: query.Encode()}).String()
}

func slashed(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	return path
}

// openSQLite gives the one connection that writes, and those that only read.
func openSQLite(ctx context.Context, path string) (writer, reader *sql.DB, err error) {
	if writer, err = openPool(ctx, sqliteDSN(path, false), 1); err != nil {
		return nil, nil, err
	}
	reader, err = openPool(ctx, sqliteDSN(path, true), 2*runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	return writer, reader, nil
}

func openPool(ctx context.Context, dsn string, size int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	if err := checkDurable(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// checkDurable reads back what the connection runs under: SQLite does not
// complain about a setting that it could not follow, as on file systems
// without shared memory.
func checkDurable(ctx context.Context, db *sql.DB) error {
	var journal string
	var synchronous, foreignKeys int
	for pragma, into := range map[string]any{
		"journal_mode": &journal, "synchronous": &synchronous, "foreign_keys": &foreignKeys,
	} {
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
			return fmt.Errorf("read back %s: %w", pragma, err)
		}
	}
	const full = 2
	if journal != "wal" || synchronous < full || foreignKeys != 1 {
		return fmt.Errorf("the database cannot be run safely here: journal_mode=%s synchronous=%d foreign_keys=%d, needed are wal, 2 and 1",
			journal, synchronous, foreignKeys)
	}
	return nil
}

// checkpoint moves the log into the database file.
func checkpoint(db *sql.DB) error {
	if _, err := db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
