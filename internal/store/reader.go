package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/seal"
)

var (
	// ErrNoData means that there is no installation at the place.
	ErrNoData = errors.New("there is no Dargah database here")
	// ErrOlder means that the schema is an earlier version's, which only a
	// server that starts brings up to date.
	ErrOlder = errors.New("this database was written by an older Dargah: start this version on it once, or read it with the old one")
	// ErrNoAccount means that no account has this id or user name.
	ErrNoAccount = errors.New("there is no such account")
)

// Reader reads an installation that other processes may be serving from. It
// changes nothing, takes no lock, and keeps nobody waiting. It is safe for
// concurrent use.
type Reader struct {
	engine engine
	keys   *seal.Keyring
}

// OpenReader opens an installation to read. It fails with ErrNoData,
// ErrNewer, ErrOlder, ErrUnfinished, or as the master key does.
func OpenReader(ctx context.Context, at Location) (*Reader, error) {
	r := &Reader{}
	if err := r.open(ctx, at); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", at, err), r.Close())
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context, at Location) error {
	return r.openIf(ctx, at, checkWhole)
}

// openIf opens what is fit for it.
func (r *Reader) openIf(ctx context.Context, at Location, fit func(context.Context, querier) error) (err error) {
	if r.engine, err = openEngine(ctx, at, reading); err != nil {
		return err
	}
	if err := checkSchema(ctx, r.engine); err != nil {
		return err
	}
	_, db, _ := r.engine.pools()
	if err := fit(ctx, db); err != nil {
		return err
	}
	r.keys, err = readKeyring(ctx, at.master(), db)
	return err
}

// Close ends reading.
func (r *Reader) Close() error {
	if r.engine == nil {
		return nil
	}
	return r.engine.close()
}

// Chain computes the links of this installation's trail.
func (r *Reader) Chain() *audit.Chain { return audit.NewChain(r.keys.Key(trailPurpose)) }

// Head gives the end of the trail. Where the last record and the head do not
// agree it is ErrTrail.
func (r *Reader) Head(ctx context.Context) (head audit.Head, err error) {
	err = r.snapshot(ctx, func(tx *sql.Tx) error {
		head, err = readHead(ctx, tx)
		return err
	})
	return head, err
}

// Trail calls do with the state and the lines of the trail, as both were at
// one moment: what is written meanwhile is not among them.
func (r *Reader) Trail(ctx context.Context, part Part, do func(audit.State, iter.Seq2[*audit.Line, error]) error) error {
	return r.snapshot(ctx, func(tx *sql.Tx) error {
		state, err := readState(ctx, tx)
		if err != nil {
			return err
		}
		return do(state, lines(ctx, tx, part))
	})
}

// Part is which lines are wanted; the zero Part is all of them.
type Part struct {
	From, To time.Time // at From or later, before To; the zero time is no bound
	Account  string    // id
}

func (p Part) where() (clause string, args []any) {
	var all []string
	bound := func(condition string, value any) {
		args = append(args, value)
		all = append(all, condition+" $"+strconv.Itoa(len(args)))
	}
	if !p.From.IsZero() {
		bound("at >=", micros(p.From))
	}
	if !p.To.IsZero() {
		bound("at <", micros(p.To))
	}
	if p.Account != "" {
		bound("account =", p.Account)
	}
	if len(all) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(all, " AND "), args
}

// lines gives each line in its turn, the same place in memory each time.
func lines(ctx context.Context, db querier, part Part) iter.Seq2[*audit.Line, error] {
	return func(yield func(*audit.Line, error) bool) {
		where, args := part.where()
		rows, err := db.QueryContext(ctx, `SELECT `+lineColumns+` FROM audit`+where+` ORDER BY seq`, args...)
		if err != nil {
			yield(nil, fmt.Errorf("read the trail: %w", err))
			return
		}
		defer func() { _ = rows.Close() }()
		var l audit.Line
		for into := lineInto(&l); rows.Next(); {
			if err := rows.Scan(into...); err != nil {
				yield(nil, fmt.Errorf("read a record of the trail: %w", err))
				return
			}
			if !yield(&l, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("read the trail: %w", err))
		}
	}
}

// AccountID gives the id of the account that has this id, or this user name,
// with or without @ and its domain. A name that is in several domains needs it.
func (r *Reader) AccountID(ctx context.Context, name string) (id string, err error) {
	if named(name) != nil {
		return "", ErrNoAccount
	}
	err = r.snapshot(ctx, func(tx *sql.Tx) error {
		id, err = accountID(ctx, tx, r.keys, name)
		return err
	})
	return id, err
}

func accountID(ctx context.Context, tx querier, keys *seal.Keyring, name string) (string, error) {
	found, err := column(ctx, tx, `SELECT id FROM account WHERE id = $1`, name)
	if err != nil || len(found) > 0 {
		return strings.Join(found, ""), err
	}
	domains, err := column(ctx, tx, `SELECT name FROM domain ORDER BY name`)
	if err != nil {
		return "", err
	}
	for _, domain := range domains {
		user := name
		if bare, cut := strings.CutSuffix(name, "@"+domain); cut {
			user = bare
		}
		ids, err := column(ctx, tx, `SELECT id FROM account WHERE name_hash = $1`, nameHash(keys, domain, user))
		if err != nil {
			return "", err
		}
		found = append(found, ids...)
	}
	switch len(found) {
	case 0:
		return "", ErrNoAccount
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("several accounts have this name: say which one by its id, one of %s", strings.Join(found, ", "))
}

// column reads the one column of a query.
func column(ctx context.Context, tx querier, query string, args ...any) (all []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	err = scan(rows, func(into func(...any) error) error {
		var value string
		err := into(&value)
		all = append(all, value)
		return err
	})
	return all, err
}

func (r *Reader) snapshot(ctx context.Context, do func(*sql.Tx) error) error {
	_, db, _ := r.engine.pools()
	tx, err := db.BeginTx(ctx, r.engine.snapshot())
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer tx.Rollback()
	return do(tx)
}
