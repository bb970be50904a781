package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// manner is how a connection is to be.
type manner int

const (
	hasty    manner = 0
	patient  manner = 1 // waits as long as a statement takes
	readOnly manner = 2
)

// connectLimit is how long one attempt to connect may take.
const connectLimit = 2 * time.Second

// statementCache is more than the texts that there are.
const statementCache = 1024

// postgresConfig adds to what the operator's address says all that our promises
// rest on.
func postgresConfig(base *pgx.ConnConfig, how manner) *pgx.ConnConfig {
	c := base.Copy()
	// Values travel apart from texts, so that none gets into the server's log
	// or its list of activities, whatever the address asks for.
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	c.StatementCacheCapacity = statementCache
	if c.ConnectTimeout == 0 || c.ConnectTimeout > connectLimit {
		c.ConnectTimeout = connectLimit
	}
	set := c.RuntimeParams
	set["application_name"] = "dargah"
	set["client_encoding"] = "UTF8"
	set["timezone"] = "UTC"
	set["synchronous_commit"] = synchronousCommit
	set["default_transaction_isolation"] = "read committed"
	set["default_transaction_read_only"] = onOff(how&readOnly != 0)
	set["statement_timeout"], set["lock_timeout"] = "0", "0"
	set["idle_in_transaction_session_timeout"] = "0"
	if how&patient == 0 {
		set["statement_timeout"] = milliseconds(statementLimit)
		set["lock_timeout"] = milliseconds(statementLimit)
		set["idle_in_transaction_session_timeout"] = milliseconds(idleLimit)
		c.DialFunc = limited(c.DialFunc, answerLimit)
	}
	asked := c.ValidateConnect // by target_session_attrs
	c.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if asked != nil {
			if err := asked(ctx, conn); err != nil {
				return err
			}
		}
		return checkServer(ctx, conn, how)
	}
	return c
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// checkServer refuses a server that could lose what it has taken. It is asked
// of each new connection: a server can be told to change while it runs, and
// another one may have taken its place.
func checkServer(ctx context.Context, conn *pgconn.PgConn, how manner) error {
	const question = `SELECT current_setting('server_version_num'), current_setting('server_encoding'), current_setting('fsync'),
		current_setting('full_page_writes'), current_setting('synchronous_commit'), pg_is_in_recovery()::text`
	answer := conn.ExecParams(ctx, question, nil, nil, nil, nil).Read()
	if answer.Err != nil {
		return fmt.Errorf("ask the server for its settings: %w", answer.Err)
	}
	if len(answer.Rows) != 1 || len(answer.Rows[0]) != 6 {
		return errors.New("ask the server for its settings: it gave no answer")
	}
	var said [6]string
	for i, value := range answer.Rows[0] {
		said[i] = string(value)
	}
	return safe(said, how)
}

// safe judges what checkServer was told.
func safe(said [6]string, how manner) error {
	version, encoding, fsync, pages, synchronous, standby := said[0], said[1], said[2], said[3], said[4], said[5]
	number, _ := strconv.Atoi(version)
	const oldest = 13
	fault := ""
	switch {
	case number < oldest*10_000:
		fault = fmt.Sprintf("PostgreSQL %d is too old: %d is the oldest that will do", number/10_000, oldest)
	case encoding != "UTF8":
		fault = "the database's encoding is " + encoding + ": make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
	case how&readOnly != 0: // nothing is promised of what is only read
	case standby != "false":
		fault = "this server is a standby, which cannot be written: give the address of the primary"
	case fsync != "on":
		fault = "fsync is off: set fsync = on in postgresql.conf and restart PostgreSQL"
	case pages != "on":
		fault = "full_page_writes is off: set full_page_writes = on in postgresql.conf and reload PostgreSQL"
	case synchronous != synchronousCommit:
		fault = "synchronous_commit is " + synchronous + " though this connection asked for " + synchronousCommit +
			": a connection pooler in between must pass it on"
	}
	if fault == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnsafe, fault)
}

// explained says what to do about a connection that cannot be made. What the
// driver says holds no password.
func explained(err error, to *pgx.ConnConfig) error {
	where := net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port)))
	var refused *pgconn.PgError
	switch {
	case errors.Is(err, ErrUnsafe):
		return err
	case errors.As(err, &refused):
		switch refused.Code {
		case "28P01", "28000":
			return fmt.Errorf("PostgreSQL at %s refuses the user %s: correct the user name or the password of the database's address, or pg_hba.conf: %w", where, to.User, err)
		case "3D000":
			return fmt.Errorf("PostgreSQL at %s has no database %q: make it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0: %w", where, to.Database, err)
		case "53300":
			return fmt.Errorf("PostgreSQL at %s takes no more connections: raise max_connections: %w", where, err)
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody answers at %s: start PostgreSQL there, or correct the database's address: %w", where, err)
	}
	return fmt.Errorf("connect to PostgreSQL at %s: %w", where, err)
}

// limited dials connections on which nothing is waited for longer than limit.
func limited(dial pgconn.DialFunc, limit time.Duration) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &limitedConn{Conn: conn, limit: limit}, nil
	}
}

// limitedConn gives each read and write a deadline, unless the driver has set
// one of its own: that is how it ends what a caller has given up.
type limitedConn struct {
	net.Conn
	limit time.Duration

	mu  sync.Mutex
	own bool // the driver's deadline is in force
}

func (c *limitedConn) Read(b []byte) (int, error) {
	c.begin(c.Conn.SetReadDeadline)
	return c.Conn.Read(b)
}

func (c *limitedConn) Write(b []byte) (int, error) {
	c.begin(c.Conn.SetWriteDeadline)
	return c.Conn.Write(b)
}

func (c *limitedConn) begin(set func(time.Time) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.own {
		_ = set(time.Now().Add(c.limit)) // what cannot be set will fail by itself
	}
}

func (c *limitedConn) SetDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own = !at.IsZero()
	return c.Conn.SetDeadline(at)
}

func (c *limitedConn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own = !at.IsZero()
	return c.Conn.SetReadDeadline(at)
}

func (c *limitedConn) SetWriteDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own = !at.IsZero()
	return c.Conn.SetWriteDeadline(at)
}
