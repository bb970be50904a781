package store

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// use is what an installation is opened for.
type use int

const (
	serving use = iota // by a server, which brings the schema up to date
	beside             // by a command that writes while servers may be running
	reading
)

// engine is an open database, and all that SQLite and PostgreSQL do
// differently. The rest of this package is written once, for both.
type engine interface {
	// pools are for short transactions, for short reads, and for what takes
	// long. Where the database was opened for reading they are all one, which
	// cannot write.
	pools() (writer, reader, patient *sql.DB)
	// shared tells whether several servers may have the database open.
	shared() bool

	// version is the schema's; 0 where there is none.
	version(ctx context.Context) (int64, error)
	// folder is where this engine's migrations are, among the embedded ones.
	folder() string
	migrator() (goose.Dialect, []goose.ProviderOption, error)
	// alone keeps other processes from making a keyring until the transaction
	// ends.
	alone(tx *sql.Tx) error

	// mark is the i-th parameter, from 1, of a text that is made.
	mark(i int) string
	// prepares tells whether texts are to be prepared before the first
	// transaction.
	prepares() bool
	// lock is what keeps the rows of a SELECT from others until the
	// transaction ends.
	lock() string
	// skip is what leaves out the rows that others have locked.
	skip() string
	// snapshot is a transaction that reads all as it was at one moment.
	snapshot() *sql.TxOptions
	// session is a new one, which is to be closed.
	session() session

	// rewrite leaves nothing behind of what was blanked.
	rewrite(ctx context.Context) error
	close() error
}

// openEngine opens the database of an installation.
func openEngine(ctx context.Context, at Location, how use) (engine, error) {
	if at.Database == "" {
		return openSQLite(ctx, at.Dir, how)
	}
	return openPostgres(ctx, at, how)
}

// schemaVersion is the version of a schema: goose keeps it in a table of its own,
// which exists counts.
func schemaVersion(ctx context.Context, db *sql.DB, exists string) (version int64, err error) {
	var tables int
	if err := db.QueryRowContext(ctx, exists).Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&version)
	return version, err
}
