package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/persian"
)

var (
	// ErrTaken means that another one of its kind has this name.
	ErrTaken = errors.New("is taken")
	// ErrNone means that there is none of this name.
	ErrNone = errors.New("is not there")
	// ErrHeld means that something cannot be removed because others belong to it.
	ErrHeld = errors.New("cannot be removed: accounts belong to it, and what they did stays on record; disable it instead")
	// ErrUnchanged is what a change returns that found nothing to do.
	ErrUnchanged = errors.New("nothing was changed")
)

// Act says on the trail who changed what.
type Act struct {
	Actor   string // who does it
	Service string // the kind of thing, as "account"
	Method  string // what is done to it, as "disable"
	// Account is the id of the account that it concerns; empty for none. What
	// is done in the change names it where it is empty.
	Account string
	Which   string // which one of its kind, as a client's id; never anything personal
	Subject []byte // the keyed hash of the person concerned; nil for none
}

// CommandDialect is what records of changes have for a dialect.
const CommandDialect = "command"

// Change is a change of what an installation is, on its way.
type Change struct {
	ctx    context.Context
	store  *Store
	tx     *sql.Tx
	act    Act
	raised []string         // kinds
	people []int64          // numbers of rows of the register
	opened map[string]int64 // balances of new wallets
	// Whom the change is about, where that is one.
	accounts, subjects []string
}

// Change does what do does to the installation in one transaction, with one
// record of it on the trail: all of it or nothing. Changes take place one after
// the other, whichever process makes them, so that what do finds is still so
// when it is durable. An error of do is given back as it is.
//
// do may be called in no other goroutine, and must not use the Store.
func (s *Store) Change(ctx context.Context, act Act, do func(*Change) error) error {
	if err := errors.Join(ctx.Err(), named(act.Actor, act.Service, act.Method, act.Account, act.Which)); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	began := s.now()
	c := &Change{ctx: context.WithoutCancel(ctx), store: s, act: act, opened: map[string]int64{}}
	var refusal error
	err := transact(s.writer, func(tx *sql.Tx) error {
		c.tx = tx
		end, err := s.lockHead(c.ctx, tx)
		if err != nil {
			return err
		}
		if refusal = do(c); refusal != nil {
			return refusal
		}
		if err := c.raise(); err != nil {
			return err
		}
		return c.record(end, began)
	})
	if slices.Contains(c.raised, kindPeople) {
		s.persons.mirrors.changed(c.people) // after an error too: the change may be there
	}
	if refusal != nil {
		return refusal
	}
	s.failing.Store(err != nil)
	if err != nil {
		return fmt.Errorf("change: %w", err)
	}
	s.wallets.put(c.opened)
	s.announce()
	return nil
}

// lockHead gives the trail's end, which nobody else moves until the
// transaction ends.
func (s *Store) lockHead(ctx context.Context, tx *sql.Tx) (audit.Head, error) {
	var seq int64
	if err := tx.QueryRowContext(ctx, `SELECT seq FROM audit_head WHERE id = 1`+s.engine.lock()).Scan(&seq); err != nil {
		return audit.Head{}, fmt.Errorf("wait for the trail's head: %w", err)
	}
	return readHead(ctx, tx)
}

// touch notes that a kind of thing is changed.
func (c *Change) touch(kind string) {
	if !slices.Contains(c.raised, kind) {
		c.raised = append(c.raised, kind)
	}
}

// concerns notes an account that the change is about, for the trail.
func (c *Change) concerns(account string) { c.accounts = note(c.accounts, account) }

// about notes a person that the change is about, as records of calls do.
func (c *Change) about(code persian.NationalCode) {
	c.subjects = note(c.subjects, string(c.store.keys.Hash(audit.SubjectHash, code.Digits())))
}

// note adds what is not among the noted; of many no more than two.
func note(noted []string, one string) []string {
	if len(noted) > 1 || slices.Contains(noted, one) {
		return noted
	}
	return append(noted, one)
}

// whom completes the act: a change of several accounts, or people, names none
// of them.
func (c *Change) whom() {
	if c.act.Account == "" && len(c.accounts) == 1 {
		c.act.Account = c.accounts[0]
	}
	if c.act.Subject == nil && len(c.subjects) == 1 {
		c.act.Subject = []byte(c.subjects[0])
	}
}

func (c *Change) raise() error {
	for _, kind := range c.raised {
		tell := func() error { return raise(c.tx, kind) }
		if kind == kindPeople {
			tell = func() error { return tellPeople(c.tx, c.people) }
		}
		if err := tell(); err != nil {
			return err
		}
	}
	return nil
}

// record puts the act on the trail, behind the end that was read.
func (c *Change) record(end audit.Head, began time.Time) error {
	c.whom()
	chain := trail{chain: audit.NewChain(c.store.keys.Key(trailPurpose)), head: end, next: end}
	l := chain.add(&audit.Record{
		Call: "command-" + rand.Text(), At: began, Took: c.store.now().Sub(began),
		Dialect: CommandDialect, Service: c.act.Service, Method: c.act.Method, Account: c.act.Account,
		Source: c.act.Actor, Subject: c.act.Subject,
	}, audit.Answered, 0, c.act.Which)
	if _, err := c.tx.Exec(`INSERT INTO audit (`+lineColumns+`) `+
		`VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		l.Seq, l.Call, l.At, l.Took, l.Dialect, l.Service, l.Method, l.Account, l.Peer,
		l.Outcome, l.Price, l.Source, l.Subject, l.Document, l.Salt, l.Digest, l.Link); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	err := one(c.tx, ErrTrail, `UPDATE audit_head SET seq = $1, link = $2 WHERE id = 1 AND seq = $3 AND link = $4`,
		chain.next.Seq, chain.next.Link[:], end.Seq, end.Link[:])
	if err != nil {
		return fmt.Errorf("move the trail's head: %w", err)
	}
	return nil
}

// taken says that there is one of this name already.
func taken(what string) error { return fmt.Errorf("%s %w", what, ErrTaken) }

// missing says that there is none of this name.
func missing(what string) error { return fmt.Errorf("%s %w", what, ErrNone) }
