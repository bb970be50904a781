package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// moveLock is the number of the lock that keeps two moves from one database.
const moveLock = 0x6461726761680001 // "dargah", 1

// target is the database that a move fills.
type target struct {
	engine engine
	conn   *pgx.Conn // has the lock
}

func openTarget(ctx context.Context, at Location) (_ *target, err error) {
	if at.Database == "" {
		return nil, errors.New("the target must be a database on PostgreSQL: give --to postgres://user@host/database")
	}
	t := &target{}
	if t.engine, err = openPostgres(ctx, at, beside); err != nil {
		return nil, err
	}
	if err := t.open(ctx, at); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *target) open(ctx context.Context, at Location) error {
	base, err := pgx.ParseConfig(at.Database)
	if err != nil {
		return err // openPostgres has read the same
	}
	if t.conn, err = pgx.ConnectConfig(ctx, postgresConfig(base, patient)); err != nil {
		return explained(err, base)
	}
	// A move that was killed holds it until the server notices.
	_, err = t.conn.Exec(ctx, "SET lock_timeout = 10000")
	if err == nil {
		_, err = t.conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(moveLock))
	}
	if err == nil {
		_, err = t.conn.Exec(ctx, "SET lock_timeout = 0")
	}
	const notAvailable = "55P03"
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == notAvailable {
		return errors.New("another move to this database is under way: wait for its end")
	}
	if err != nil {
		return fmt.Errorf("keep other moves away: %w", err)
	}
	return nil
}

func (t *target) close() error {
	var err error
	if t.conn != nil {
		err = t.conn.Close(context.Background())
	}
	return errors.Join(err, t.engine.close())
}

// claim takes a database that holds nothing, or what an earlier move left, and
// empties it. From then on no server starts on it.
func (t *target) claim(ctx context.Context, own mark, tables []table, restart bool) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	fresh, err := freshSums(ctx)
	if err != nil {
		return err
	}
	_, _, db := t.engine.pools()
	return transact(db, func(tx *sql.Tx) error {
		if err := alike(ctx, tx, tables); err != nil {
			return err
		}
		if err := t.engine.alone(tx); err != nil { // from servers that start on it now
			return err
		}
		earlier, err := readMark(ctx, tx)
		switch {
		case err != nil:
			return err
		case earlier.Stage == "":
			err = empty(ctx, tx, tables, fresh)
		case earlier.Stage == moved:
			err = errors.New("it is marked as the source of a move")
		case earlier.Of != own.Of && !restart:
			err = fmt.Errorf("an unfinished move of another installation (%s) lies there: say --restart to throw that away, or give another database", earlier.Other)
		}
		if err != nil {
			return err
		}
		return wipe(ctx, tx, own, tables)
	})
}

// prepare makes the schema where there is none. One of another version is
// somebody's, and stays as it is.
func (t *target) prepare(ctx context.Context) error {
	version, err := t.engine.version(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if version == 0 {
		return migrate(ctx, t.engine, nil)
	}
	if err := checkSchema(ctx, t.engine); err != nil {
		return fmt.Errorf("the target is not empty: %w", err)
	}
	return nil
}

// freshSums are the tables of an installation in which there is only what the
// migrations put there.
func freshSums(ctx context.Context) (sums map[string]Sum, err error) {
	dir, err := os.MkdirTemp("", "dargah-")
	if err != nil {
		return nil, fmt.Errorf("make an empty installation to compare with: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	e, err := openSQLite(ctx, dir, serving)
	if err != nil {
		return nil, fmt.Errorf("make an empty installation to compare with: %w", err)
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if err := migrate(ctx, e, nil); err != nil {
		return nil, err
	}
	_, db, _ := e.pools()
	tables, err := sqliteTables(ctx, db)
	if err != nil {
		return nil, err
	}
	sums = map[string]Sum{}
	for _, t := range tables {
		if sums[t.name], err = t.sum(ctx, db, t.query(sqliteBytewise), func() {}); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// empty reads one row more of each table than there should be, and no further.
func empty(ctx context.Context, db querier, tables []table, fresh map[string]Sum) error {
	for _, t := range tables {
		want := fresh[t.name]
		got, err := t.sum(ctx, db, fmt.Sprintf("%s LIMIT %d", t.query(postgresBytewise), want.Rows+1), func() {})
		if err != nil {
			return err
		}
		if got.Rows != want.Rows || want.Rows > 0 && got != want {
			return fmt.Errorf("the target is not empty: its table %s holds what is not ours to remove. Give a new database (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)", t.name)
		}
	}
	return nil
}

func wipe(ctx context.Context, tx *sql.Tx, own mark, tables []table) error {
	text, err := own.text()
	if err != nil {
		return err
	}
	all := make([]string, 0, len(tables))
	for _, t := range tables {
		all = append(all, quoted(t.name))
	}
	if _, err := tx.ExecContext(ctx, "TRUNCATE "+strings.Join(all, ", ")); err != nil {
		return fmt.Errorf("empty the target: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2)`, markName, text); err != nil {
		return fmt.Errorf("mark the target: %w", err)
	}
	return nil
}

// fill copies a table. The rows go through, one after the other: neither side
// has them all in memory.
func (t *target) fill(ctx context.Context, of *table, from querier, step func()) error {
	rows, err := of.read(ctx, from, of.query(sqliteBytewise), step)
	if err != nil {
		return err
	}
	defer rows.close()
	if _, err := t.conn.CopyFrom(ctx, pgx.Identifier{of.name}, of.names(), rows); err != nil {
		return errors.Join(ctx.Err(), whereabouts(err, rows.count))
	}
	return nil
}

// whereabouts says where it was, and no more: a value would be somebody's.
func whereabouts(err error, row int64) error {
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		return fmt.Errorf("PostgreSQL refuses one of the first %d rows: %s (SQLSTATE %s)", row, refused.Message, refused.Code)
	}
	return err
}

func (t *target) analyze(ctx context.Context, tables []table) error {
	for _, of := range tables {
		if _, err := t.conn.Exec(ctx, "ANALYZE "+quoted(of.name)); err != nil {
			return fmt.Errorf("analyze table %s: %w", of.name, err)
		}
	}
	return nil
}

func (t *target) mark(ctx context.Context) (mark, error) {
	_, _, db := t.engine.pools()
	if err := checkSchema(ctx, t.engine); errors.Is(err, ErrNoData) {
		return mark{}, nil
	} else if err != nil {
		return mark{}, err
	}
	return readMark(ctx, db)
}

func (t *target) note(ctx context.Context, own mark) error {
	text, err := own.text()
	if err == nil {
		_, err = t.conn.Exec(ctx, `UPDATE setting SET value = $2 WHERE name = $1`, markName, text)
	}
	if err != nil {
		return fmt.Errorf("mark the target: %w", err)
	}
	return nil
}

// release lets servers start on the target.
func (t *target) release(ctx context.Context) error {
	if _, err := t.conn.Exec(ctx, `DELETE FROM setting WHERE name = $1`, markName); err != nil {
		return fmt.Errorf("take the mark from the target: %w", err)
	}
	return nil
}
