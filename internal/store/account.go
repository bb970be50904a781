package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/netip"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/seal"
)

// Account is an account with the balance that its wallet opens with.
type Account struct {
	account.Account
	Balance rial.Amount // 0 or more
}

// sealedAccount is what of an account is not kept in the clear.
type sealedAccount struct {
	Username      string         `json:"u"`
	FirstName     string         `json:"f,omitempty"`
	LastName      string         `json:"l,omitempty"`
	Password      string         `json:"p,omitempty"`
	TokenPassword string         `json:"t,omitempty"`
	Allowed       []netip.Prefix `json:"a,omitempty"`
	Grants        []string       `json:"g,omitempty"`
}

// PutDomains adds domains; those of the same name are replaced.
func (s *Store) PutDomains(ctx context.Context, domains []account.Domain) error {
	return s.write(ctx, "put domains", func(tx *sql.Tx) error {
		for _, d := range domains {
			if err := named(d.Name); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO domain (name, is_default, disabled) VALUES ($1, $2, $3) `+
				`ON CONFLICT (name) DO UPDATE SET is_default = excluded.is_default, disabled = excluded.disabled`,
				d.Name, flag(d.Default), flag(d.Disabled)); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutAccounts adds new accounts and opens their wallets, all or none. Their
// domains must be there. An account whose id, number, or name in its domain is
// taken is refused with ErrTaken, and so is one of whose lines, clients or
// business credentials that is so.
func (s *Store) PutAccounts(ctx context.Context, accounts []Account) error {
	balances := make(map[string]int64, len(accounts))
	err := s.write(ctx, "put accounts", func(tx *sql.Tx) error {
		for i := range accounts {
			a := &accounts[i]
			if err := s.putAccount(tx, a); err != nil {
				return fmt.Errorf("account %s: %w", a.ID, err)
			}
			balances[a.ID] = int64(a.Balance)
		}
		return nil
	})
	if err == nil {
		s.wallets.put(balances)
	}
	return err
}

func (s *Store) putAccount(tx *sql.Tx, a *Account) error {
	if err := namedAccount(a); err != nil {
		return err
	}
	sealed, err := sealAccount(s.keys, &a.Account)
	if err != nil {
		return err
	}
	err = one(tx, taken("the user name"), `INSERT INTO account (id, number, domain, name_hash, disabled, expires_at, token_days, rate, epoch, sealed) `+
		`VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		a.ID, a.Number, a.Domain, nameHash(s.keys, a.Domain, a.Username), flag(a.Disabled), micros(a.Expires), a.TokenDays, a.Rate, a.Epoch, sealed)
	if err != nil {
		return err
	}
	if err := putBelongings(tx, a); err != nil {
		return err
	}
	return s.openWallet(tx, a)
}

func namedAccount(a *Account) error {
	names := []string{a.ID, a.Domain}
	for _, l := range a.Lines {
		names = append(names, l.Number)
	}
	for _, c := range a.Clients {
		names = append(names, c.ID)
	}
	for _, b := range a.Business {
		names = append(names, b.ID)
	}
	return named(names...)
}

// nameHash is what a name in a domain is found by.
func nameHash(keys *seal.Keyring, domain, username string) []byte {
	return keys.Hash("account", account.DomainKey(domain)+"\x00"+account.UserKey(username))
}

func sealAccount(keys *seal.Keyring, a *account.Account) ([]byte, error) {
	plain, err := json.Marshal(sealedAccount{
		Username: a.Username, FirstName: a.FirstName, LastName: a.LastName,
		Password: a.Password, TokenPassword: a.TokenPassword, Allowed: a.Allowed, Grants: a.Grants.List(),
	})
	if err != nil {
		return nil, err
	}
	return keys.Seal(plain, "account/"+a.ID)
}

func putBelongings(tx *sql.Tx, a *Account) error {
	for i, l := range a.Lines {
		if err := putLine(tx, a.ID, i, l); err != nil {
			return err
		}
	}
	for i, c := range a.Clients {
		if err := putClient(tx, a.ID, i, c); err != nil {
			return err
		}
	}
	for i, b := range a.Business {
		if err := putBusiness(tx, a.ID, i, b); err != nil {
			return err
		}
	}
	return nil
}

func putLine(tx *sql.Tx, owner string, place int, l account.Line) error {
	return one(tx, taken("line "+l.Number), `INSERT INTO line (account, place, number, key, suspended) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		owner, place, l.Number, account.LineKey(l.Number), flag(l.Suspended))
}

func putClient(tx *sql.Tx, owner string, place int, c account.Client) error {
	return one(tx, taken("client id "+c.ID), `INSERT INTO client (id, account, place, secret_hash, password_grant, disabled, former_hash, former_until) `+
		`VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		c.ID, owner, place, c.SecretHash[:], flag(c.PasswordGrant), flag(c.Disabled), formerHash(c.Former), micros(c.Former.Until))
}

func putBusiness(tx *sql.Tx, owner string, place int, b account.Business) error {
	return one(tx, taken("business id "+b.ID), `INSERT INTO business (id, account, place, token_hash, disabled, former_hash, former_until) `+
		`VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		b.ID, owner, place, b.TokenHash[:], flag(b.Disabled), formerHash(b.Former), micros(b.Former.Until))
}

func formerHash(f account.Former) []byte {
	if f.Until.IsZero() {
		return []byte{}
	}
	return f.Hash[:]
}

// openWallet books the opening balance, so that a wallet is always the sum of
// its entries.
func (s *Store) openWallet(tx *sql.Tx, a *Account) error {
	if _, err := tx.Exec(`INSERT INTO wallet (account, balance) VALUES ($1, $2)`, a.ID, int64(a.Balance)); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	var seq int64
	if err := tx.QueryRow(`UPDATE audit_head SET entry_seq = entry_seq + 1 WHERE id = 1 RETURNING entry_seq`).Scan(&seq); err != nil {
		return fmt.Errorf("opening entry: %w", err)
	}
	contra := ledger.Opening.Contra()
	if _, err := tx.Exec(`INSERT INTO entry (seq, call, account, contra, kind, amount, balance, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		seq, "opening/"+a.ID, a.ID, contra, string(ledger.Opening), int64(a.Balance), int64(a.Balance), s.now().UnixMicro()); err != nil {
		return fmt.Errorf("opening entry: %w", err)
	}
	if _, err := tx.Exec(`UPDATE house SET balance = balance - $1 WHERE name = $2`, int64(a.Balance), contra); err != nil {
		return fmt.Errorf("opening entry: %w", err)
	}
	return nil
}

// Accounts gives every domain, and every account by its number.
func (s *Store) Accounts(ctx context.Context) ([]account.Domain, []account.Account, error) {
	r := accountReader{db: s.reader, keys: s.keys}
	if err := r.read(ctx); err != nil {
		return nil, nil, fmt.Errorf("read accounts: %w", err)
	}
	return r.allDomains, r.all, nil
}

// Account gives the account that has this id, or this user name, with or
// without @ and its domain; ErrNoAccount where there is none.
func (s *Store) Account(ctx context.Context, name string) (account.Account, error) {
	id, err := accountID(ctx, s.reader, s.keys, name)
	if err != nil {
		return account.Account{}, err
	}
	return readAccount(ctx, s.reader, s.keys, id)
}

func readAccount(ctx context.Context, db querier, keys *seal.Keyring, id string) (account.Account, error) {
	r := accountReader{db: db, keys: keys, only: id}
	if err := r.read(ctx); err != nil {
		return account.Account{}, fmt.Errorf("read an account: %w", err)
	}
	if len(r.all) == 0 || id == "" {
		return account.Account{}, ErrNoAccount
	}
	return r.all[0], nil
}

// accountReader reads accounts and what belongs to them.
type accountReader struct {
	db   querier
	keys *seal.Keyring
	only string // the id of the one that is wanted; empty for all

	allDomains []account.Domain
	all        []account.Account
	at         map[string]int // id → place in all
}

func (r *accountReader) read(ctx context.Context) error {
	r.at = map[string]int{}
	for _, step := range []func(context.Context) error{r.domains, r.accounts, r.lines, r.clients, r.business} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// each reads the rows of a query, of the one account where only one is wanted.
func (r *accountReader) each(ctx context.Context, query, key, order string, row func(into func(...any) error) error) error {
	var args []any
	if r.only != "" && key != "" {
		query += ` WHERE ` + key + ` = $1`
		args = []any{r.only}
	}
	rows, err := r.db.QueryContext(ctx, query+` ORDER BY `+order, args...)
	if err != nil {
		return err
	}
	return scan(rows, row)
}

func (r *accountReader) domains(ctx context.Context) error {
	return r.each(ctx, `SELECT name, is_default, disabled FROM domain`, "", "name", func(into func(...any) error) error {
		var d account.Domain
		err := into(&d.Name, &d.Default, &d.Disabled)
		r.allDomains = append(r.allDomains, d)
		return err
	})
}

func (r *accountReader) accounts(ctx context.Context) error {
	return r.each(ctx, `SELECT id, number, domain, disabled, expires_at, token_days, rate, epoch, sealed FROM account`, "id", "number",
		func(into func(...any) error) error {
			var a account.Account
			var expires int64
			var sealed []byte
			if err := into(&a.ID, &a.Number, &a.Domain, &a.Disabled, &expires, &a.TokenDays, &a.Rate, &a.Epoch, &sealed); err != nil {
				return err
			}
			a.Expires = fromMicros(expires)
			r.at[a.ID] = len(r.all)
			r.all = append(r.all, a)
			return r.unseal(&r.all[len(r.all)-1], sealed)
		})
}

func (r *accountReader) unseal(a *account.Account, sealed []byte) error {
	plain, err := r.keys.Unseal(sealed, "account/"+a.ID)
	if err != nil {
		return fmt.Errorf("account %s: %w", a.ID, err)
	}
	var inside sealedAccount
	if err := json.Unmarshal(plain, &inside); err != nil {
		return fmt.Errorf("account %s: what was sealed cannot be read", a.ID)
	}
	a.Username, a.FirstName, a.LastName = inside.Username, inside.FirstName, inside.LastName
	a.Password, a.TokenPassword = inside.Password, inside.TokenPassword
	a.Allowed, a.Grants = inside.Allowed, account.NewGrants(inside.Grants)
	return nil
}

// owner is the account that what was read belongs to.
func (r *accountReader) owner(id string) *account.Account { return &r.all[r.at[id]] }

func (r *accountReader) lines(ctx context.Context) error {
	return r.each(ctx, `SELECT account, number, suspended FROM line`, "account", "account, place", func(into func(...any) error) error {
		var owner string
		var l account.Line
		if err := into(&owner, &l.Number, &l.Suspended); err != nil {
			return err
		}
		a := r.owner(owner)
		a.Lines = append(a.Lines, l)
		return nil
	})
}

func (r *accountReader) clients(ctx context.Context) error {
	return r.each(ctx, `SELECT account, id, secret_hash, password_grant, disabled, former_hash, former_until FROM client`, "account", "account, place",
		func(into func(...any) error) error {
			var owner string
			var c account.Client
			var secret, former []byte
			var until int64
			if err := into(&owner, &c.ID, &secret, &c.PasswordGrant, &c.Disabled, &former, &until); err != nil {
				return err
			}
			a := r.owner(owner)
			a.Clients = append(a.Clients, c)
			last := &a.Clients[len(a.Clients)-1]
			return fillHashes(&last.SecretHash, secret, &last.Former, former, until)
		})
}

func (r *accountReader) business(ctx context.Context) error {
	return r.each(ctx, `SELECT account, id, token_hash, disabled, former_hash, former_until FROM business`, "account", "account, place",
		func(into func(...any) error) error {
			var owner string
			var b account.Business
			var token, former []byte
			var until int64
			if err := into(&owner, &b.ID, &token, &b.Disabled, &former, &until); err != nil {
				return err
			}
			a := r.owner(owner)
			a.Business = append(a.Business, b)
			last := &a.Business[len(a.Business)-1]
			return fillHashes(&last.TokenHash, token, &last.Former, former, until)
		})
}

func fillHashes(to *[32]byte, hash []byte, before *account.Former, former []byte, until int64) error {
	if until != 0 {
		before.Until = fromMicros(until)
		if err := fill(&before.Hash, former); err != nil {
			return err
		}
	}
	return fill(to, hash)
}

func fill(to *[32]byte, hash []byte) error {
	if copy(to[:], hash) != len(to) || len(hash) != len(to) {
		return fmt.Errorf("a hash of %d bytes where %d belong", len(hash), len(to))
	}
	return nil
}
