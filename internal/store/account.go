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
// taken is refused with ErrTaken, and so is one of whose lines, clients,
// business credentials, API keys or templates that is so.
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
	err = one(tx, taken("the user name"), `INSERT INTO account (id, number, domain, name_hash, disabled, expires_at, token_days, rate, epoch, sealed, `+
		`query_login, spend_day, number_hour, prefix_hour) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		a.ID, a.Number, a.Domain, nameHash(s.keys, a.Domain, a.Username), flag(a.Disabled), micros(a.Expires), a.TokenDays, a.Rate, a.Epoch, sealed,
		flag(a.QueryLogin), int64(a.SMS.SpendDay), a.SMS.NumberHour, a.SMS.PrefixHour)
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
	for _, k := range a.APIKeys {
		names = append(names, k.ID)
	}
	for service := range a.Prices {
		names = append(names, service)
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
	for i, k := range a.APIKeys {
		if err := putKey(tx, a.ID, i, k); err != nil {
			return err
		}
	}
	for i, t := range a.Templates {
		if err := putTemplate(tx, a.ID, i, t); err != nil {
			return err
		}
	}
	for service, amount := range a.Prices {
		if err := putAccountPrice(tx, a.ID, service, amount); err != nil {
			return err
		}
	}
	return nil
}

func putLine(tx *sql.Tx, owner string, place int, l account.Line) error {
	return one(tx, taken("line "+l.Number), `INSERT INTO line (account, place, number, key, suspended, quiet_from, quiet_until, day_limit) `+
		`VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		owner, place, l.Number, account.LineKey(l.Number), flag(l.Suspended), l.Quiet.From, l.Quiet.To, l.DayLimit)
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

func putKey(tx *sql.Tx, owner string, place int, k account.APIKey) error {
	return one(tx, taken("API key "+k.ID), `INSERT INTO api_key (id, account, place, key_hash, disabled) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		k.ID, owner, place, k.Hash[:], flag(k.Disabled))
}

func putTemplate(tx *sql.Tx, owner string, place int, t account.Template) error {
	if err := readableTemplate(t); err != nil {
		return err
	}
	return one(tx, taken("template "+t.ID), `INSERT INTO template (id, account, place, line, urgent, once, body) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		t.ID, owner, place, t.Line, flag(t.Urgent), flag(t.Once), t.Body)
}

func readableTemplate(t account.Template) error {
	if !readable(t.Body) {
		return errText
	}
	return named(t.ID, t.Line)
}

func putAccountPrice(tx *sql.Tx, owner, service string, amount rial.Amount) error {
	_, err := tx.Exec(`INSERT INTO account_price (account, service, amount) VALUES ($1, $2, $3) ON CONFLICT (account, service) DO UPDATE SET amount = excluded.amount`,
		owner, service, int64(amount))
	return err
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
	if err := tx.QueryRow(`UPDATE audit_head SET entry_seq = entry_seq + 1, cash = cash - $1 WHERE id = 1 RETURNING entry_seq`,
		int64(a.Balance)).Scan(&seq); err != nil {
		return fmt.Errorf("opening entry: %w", err)
	}
	if _, err := tx.Exec(`INSERT INTO entry (seq, call, account, contra, kind, amount, balance, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		seq, "opening/"+a.ID, a.ID, ledger.Opening.Contra(), string(ledger.Opening), int64(a.Balance), int64(a.Balance), s.now().UnixMicro()); err != nil {
		return fmt.Errorf("opening entry: %w", err)
	}
	return nil
}
