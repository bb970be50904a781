package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"dargah.dev/dargah/internal/finding"
)

const (
	slowTrip   = 5 * time.Millisecond // a call makes two or three
	slowCommit = 30 * time.Millisecond
)

func examinePostgres(ctx context.Context, l *finding.List, at Location) {
	const about = "PostgreSQL"
	base, err := pgx.ParseConfig(at.Database)
	if err != nil {
		l.Bad(about, "the address of the database cannot be read", "correct the setting database")
		return
	}
	// As a reader: what is unsafe to write to is to be told, not refused.
	config := postgresConfig(base, patient|readOnly)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		l.Bad(about, explained(err, base).Error(), "")
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := checkServer(ctx, conn.PgConn(), patient); err != nil {
		l.Bad(about, err.Error(), "")
	} else {
		l.Good(about, "%s: fsync, full_page_writes and synchronous_commit are on", conn.PgConn().ParameterStatus("server_version"))
	}
	for _, look := range []func(context.Context, *finding.List, *pgx.Conn) error{examineSpeed, examineConnections, examineCommit} {
		if err := look(ctx, l, conn); err != nil {
			l.Warn(about, err.Error(), "")
		}
	}
}

// examineSpeed measures round trips, and between two of them the clocks.
func examineSpeed(ctx context.Context, l *finding.List, conn *pgx.Conn) error {
	var trips []time.Duration
	var skew time.Duration
	for range 11 {
		var theirs int64
		began := time.Now()
		if err := conn.QueryRow(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).Scan(&theirs); err != nil {
			return fmt.Errorf("ask the server for the time: %w", err)
		}
		trip := time.Since(began)
		if len(trips) == 0 || trip < slices.Min(trips) {
			skew = time.UnixMicro(theirs).Sub(began.Add(trip / 2))
		}
		trips = append(trips, trip)
	}
	slices.Sort(trips)
	if trip := trips[len(trips)/2]; trip > slowTrip {
		l.Warn("round trip", fmt.Sprintf("the database is %s away, and each call asks it two or three times", trip.Round(10*time.Microsecond)), "run the nodes near the database")
	} else {
		l.Good("round trip", "the database is %s away", trip.Round(10*time.Microsecond))
	}
	l.Clocks("the database's server", skew)
	return nil
}

func examineConnections(ctx context.Context, l *finding.List, conn *pgx.Conn) error {
	var used, most int64
	err := conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), `+
		`current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint`).Scan(&used, &most)
	if err != nil {
		return fmt.Errorf("count connections: %w", err)
	}
	const about, advice = "connections", "raise max_connections, or let other programs have fewer"
	says := fmt.Sprintf("%d of %d that PostgreSQL takes are in use", used, most)
	switch {
	case used*20 >= most*19:
		l.Bad(about, says, advice)
	case used*5 >= most*4:
		l.Warn(about, says, advice)
	default:
		l.Good(about, "%s", says)
	}
	return nil
}

// examineCommit measures a commit that has something to make durable, and
// changes no table.
func examineCommit(ctx context.Context, l *finding.List, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, `SET default_transaction_read_only = off`); err != nil {
		return fmt.Errorf("measure a commit: %w", err)
	}
	var all []time.Duration
	for range 9 {
		began := time.Now()
		if _, err := conn.Exec(ctx, `SELECT pg_logical_emit_message(true, 'dargah', 'doctor')`); err != nil {
			return fmt.Errorf("a commit cannot be measured: %w", err)
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	took := all[len(all)/2]
	if took > slowCommit {
		l.Warn("commit", fmt.Sprintf("takes %s", took.Round(10*time.Microsecond)), "a call with nobody beside it waits that long: give PostgreSQL a faster disk for its log, or look at its standbys")
		return nil
	}
	l.Good("commit", "takes %s", took.Round(10*time.Microsecond))
	return nil
}
