package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
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

// readerDSN opens the file itself read-only: a connection that may write would
// move the log into the database when it is the last to leave. Transactions
// begin without a lock, unlike the store's.
func readerDSN(path string) string {
	file := url.URL{Scheme: "file", Path: slashed(path)}
	file.RawQuery = url.Values{
		"mode": {"ro"}, "_query_only": {"1"}, "_busy_timeout": {"2000"}, "_pragma": {"cache_size(-8192)", "temp_store(memory)"},
	}.Encode()
	return file.String()
}

func slashed(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	return path
}

// sqliteEngine is a database in a file.
type sqliteEngine struct {
	held   *flock.Flock // the folder; nil beside a server
	writer *sql.DB      // one connection; nil where it is only read
	reader *sql.DB      // several, which cannot write

	statements sqliteStatements // of the writer
}

func openSQLite(ctx context.Context, dir string, how use) (engine, error) {
	e := &sqliteEngine{}
	if err := e.open(ctx, dir, how); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *sqliteEngine) open(ctx context.Context, dir string, how use) error {
	path, err := filepath.Abs(filepath.Join(dir, databaseName))
	if err != nil {
		return err
	}
	if how == serving {
		if e.held, err = lockFolder(dir); err == nil {
			err = makeDatabase(path)
		}
	} else if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		err = ErrNoData
	}
	if err != nil {
		return err
	}
	if how == reading {
		e.reader, err = sql.Open("sqlite", readerDSN(path))
		return err
	}
	if e.writer, err = openPool(ctx, sqliteDSN(path, false), 1); err == nil {
		e.reader, err = openPool(ctx, sqliteDSN(path, true), 2*runtime.GOMAXPROCS(0))
	}
	if err == nil && how == beside {
		// A busy server leaves the lock for moments only, and SQLite has no queue
		// for it: somebody who waits tries again and again. A command has time.
		_, err = e.writer.ExecContext(ctx, "PRAGMA busy_timeout = 60000")
	}
	return err
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
		return fmt.Errorf("%w: journal_mode=%s synchronous=%d foreign_keys=%d, needed are wal, 2 and 1",
			ErrUnsafe, journal, synchronous, foreignKeys)
	}
	return nil
}

func (e *sqliteEngine) pools() (writer, reader, patient *sql.DB) {
	if e.writer == nil {
		return e.reader, e.reader, e.reader
	}
	return e.writer, e.reader, e.writer
}

func (e *sqliteEngine) shared() bool   { return false }
func (e *sqliteEngine) folder() string { return "migration/sqlite" }

func (e *sqliteEngine) version(ctx context.Context) (int64, error) {
	return schemaVersion(ctx, e.reader, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`)
}

// migrator is without a lock: goose has none for SQLite, and the folder's
// keeps others out.
func (e *sqliteEngine) migrator() (goose.Dialect, []goose.ProviderOption, error) {
	return goose.DialectSQLite3, nil, nil
}

// alone has nothing to do: a transaction has the whole database.
func (e *sqliteEngine) alone(*sql.Tx) error { return nil }

// mark has no number, as parameters have everywhere else, because SQLite takes
// $1 for a name and the driver looks each name up from the front of a list: a
// fifth of the time of a commit.
func (e *sqliteEngine) mark(int) string { return "?" }

func (e *sqliteEngine) prepares() bool { return true }

// lock has nothing to say: transactions have the whole database.
func (e *sqliteEngine) lock() string { return "" }

func (e *sqliteEngine) skip() string { return "" }

// snapshot is any transaction.
func (e *sqliteEngine) snapshot() *sql.TxOptions { return nil }

func (e *sqliteEngine) session() session {
	return &sqliteSession{db: e.writer, sqliteStatements: &e.statements}
}

// rewrite writes the file anew. SQLite leaves copies of rows behind in the gaps
// of its pages when it moves them, which its secure_delete does not reach. A
// copy in memory could be larger than the memory is.
func (e *sqliteEngine) rewrite(ctx context.Context) error {
	for _, statement := range []string{"PRAGMA temp_store = FILE", "VACUUM", "PRAGMA temp_store = MEMORY"} {
		if _, err := e.writer.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// close moves the log into the file where the folder is ours; beside a server
// that is the server's business.
func (e *sqliteEngine) close() error {
	var errs []error
	if e.reader != nil {
		errs = append(errs, e.reader.Close())
	}
	if e.writer != nil {
		errs = append(errs, e.statements.discard(e.writer))
		if e.held != nil {
			errs = append(errs, checkpoint(e.writer))
		}
		errs = append(errs, e.writer.Close())
	}
	// The lock goes last: whoever gets it must find nobody at the database.
	if e.held != nil {
		errs = append(errs, e.held.Unlock())
	}
	return errors.Join(errs...)
}

func checkpoint(db *sql.DB) error {
	if _, err := db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
