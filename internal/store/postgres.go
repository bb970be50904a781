package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// How long a statement of a call may take: the server gives up first, so that
// the connection stays good; we do, where not even that is heard. A node that
// hangs within a transaction holds up all others no longer than the last.
const (
	statementLimit = 1500 * time.Millisecond
	answerLimit    = 1800 * time.Millisecond
	idleLimit      = 5 * time.Second
	// readLimit is how long a call waits for what it reads, with all attempts
	// that the pool makes on connections that turn out to be dead.
	readLimit = 1800 * time.Millisecond
)

// synchronousCommit is what each connection asks for, whatever the server, the
// database or the user have been set to: a commit waits for the disk. It is a
// variable for the test that shows what is lost without it.
var synchronousCommit = "on"

// postgresEngine is a database on a server that other nodes use too.
type postgresEngine struct {
	writer, reader, slow *sql.DB
	committing           *pgx.ConnConfig // of sessions
}

func openPostgres(ctx context.Context, at Location, how use) (engine, error) {
	base, err := pgx.ParseConfig(at.Database)
	if err != nil {
		return nil, fmt.Errorf("the address of the database cannot be read: %w", err) // it is told without its password
	}
	e := &postgresEngine{}
	if how == reading {
		e.slow = pool(postgresConfig(base, patient|readOnly), 4)
		e.writer, e.reader = e.slow, e.slow
	} else {
		e.committing = postgresConfig(base, hasty)
		// Its statements have one good plan each, and up to thousands of
		// parameters: planning each anew is a part of their time.
		e.committing.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
		e.writer = pool(postgresConfig(base, hasty), 4)
		e.reader = pool(postgresConfig(base, hasty|readOnly), max(8, 4*runtime.GOMAXPROCS(0)))
		e.slow = pool(postgresConfig(base, patient), 2)
		e.slow.SetMaxIdleConns(0)
	}
	if err := e.writer.PingContext(ctx); err != nil {
		return nil, errors.Join(explained(err, base), e.close())
	}
	return e, nil
}

func pool(config *pgx.ConnConfig, size int) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	// After a failover some may still lead to a server that is no longer ours.
	db.SetConnMaxLifetime(time.Hour)
	return db
}

func (e *postgresEngine) pools() (writer, reader, patient *sql.DB) { return e.writer, e.reader, e.slow }

func (e *postgresEngine) shared() bool   { return true }
func (e *postgresEngine) folder() string { return "migration/postgres" }

func (e *postgresEngine) version(ctx context.Context) (int64, error) {
	return schemaVersion(ctx, e.reader, `SELECT count(*) FROM pg_class WHERE oid = to_regclass('goose_db_version')`)
}

// migrator takes a lock on the server: of nodes that start together one
// migrates, and the others wait.
func (e *postgresEngine) migrator() (goose.Dialect, []goose.ProviderOption, error) {
	const everySecond, times = 1, 300
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(everySecond, times))
	return goose.DialectPostgres, []goose.ProviderOption{goose.WithSessionLocker(locker)}, err
}

func (e *postgresEngine) alone(tx *sql.Tx) error {
	if _, err := tx.Exec(`LOCK TABLE secret IN EXCLUSIVE MODE`); err != nil {
		return fmt.Errorf("keep others from the secrets: %w", err)
	}
	return nil
}

func (e *postgresEngine) mark(i int) string { return "$" + strconv.Itoa(i) }

// prepares is false: each connection prepares a text when it first sees it.
func (e *postgresEngine) prepares() bool { return false }

func (e *postgresEngine) lock() string { return " FOR UPDATE" }

func (e *postgresEngine) skip() string { return " FOR UPDATE SKIP LOCKED" }

func (e *postgresEngine) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (e *postgresEngine) session() session { return &postgresSession{config: e.committing} }

// rewrite writes those tables anew in which something was blanked: the old
// rows' bytes would stay in the gaps of their pages.
func (e *postgresEngine) rewrite(ctx context.Context) error {
	for _, table := range []string{"audit", "answer", "batch", "message", "incoming", "fragment", "stray"} {
		if _, err := e.slow.ExecContext(ctx, "VACUUM FULL "+table); err != nil {
			return err
		}
	}
	return nil
}

func (e *postgresEngine) close() error {
	return errors.Join(e.writer.Close(), e.reader.Close(), e.slow.Close())
}
