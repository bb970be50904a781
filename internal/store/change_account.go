package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"dargah.dev/dargah/internal/account"
)

// Domains gives every domain by its name.
func (c *Change) Domains() ([]account.Domain, error) {
	r := accountReader{db: c.tx, keys: c.store.keys}
	if err := r.domains(c.ctx); err != nil {
		return nil, fmt.Errorf("read the domains: %w", err)
	}
	return r.allDomains, nil
}

// Domain finds a domain by any spelling of its name.
func (c *Change) Domain(name string) (account.Domain, error) {
	all, err := c.Domains()
	for _, d := range all {
		if account.DomainKey(d.Name) == account.DomainKey(name) {
			return d, nil
		}
	}
	if err == nil {
		err = missing("domain " + name)
	}
	return account.Domain{}, err
}

// AddDomain adds a domain. The first one is the default whatever it says, and
// one that becomes the default takes the place of the one that was.
func (c *Change) AddDomain(d account.Domain) error {
	all, err := c.Domains()
	if err != nil {
		return err
	}
	for _, other := range all {
		if account.DomainKey(other.Name) == account.DomainKey(d.Name) {
			return taken("domain " + d.Name)
		}
	}
	if err := named(d.Name); err != nil {
		return err
	}
	d.Default = d.Default || len(all) == 0
	if err := one(c.tx, taken("domain "+d.Name), `INSERT INTO domain (name, is_default, disabled) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING`, d.Name); err != nil {
		return err
	}
	return c.writeDomain(account.Domain{Name: d.Name}, d)
}

// SetDomain changes a domain, but not its name. Disabling it kills the tokens
// of all its accounts.
func (c *Change) SetDomain(name string, edit func(*account.Domain)) error {
	before, err := c.Domain(name)
	if err != nil {
		return err
	}
	after := before
	edit(&after)
	return c.writeDomain(before, after)
}

func (c *Change) writeDomain(before, after account.Domain) error {
	c.touch(kindAccounts)
	if after.Default && !before.Default {
		if _, err := c.tx.Exec(`UPDATE domain SET is_default = 0`); err != nil {
			return fmt.Errorf("change a domain: %w", err)
		}
	}
	if after.Disabled && !before.Disabled {
		if _, err := c.tx.Exec(`UPDATE account SET epoch = epoch + 1 WHERE domain = $1`, before.Name); err != nil {
			return fmt.Errorf("end the tokens of a domain: %w", err)
		}
	}
	return one(c.tx, missing("domain "+before.Name), `UPDATE domain SET is_default = $1, disabled = $2 WHERE name = $3`,
		flag(after.Default), flag(after.Disabled), before.Name)
}

// RemoveDomain removes a domain that has no accounts; one that has is ErrHeld.
func (c *Change) RemoveDomain(name string) error {
	d, err := c.Domain(name)
	if err != nil {
		return err
	}
	var accounts int
	if err := c.tx.QueryRow(`SELECT count(*) FROM account WHERE domain = $1`, d.Name).Scan(&accounts); err != nil {
		return fmt.Errorf("count the accounts of a domain: %w", err)
	}
	if accounts > 0 {
		return fmt.Errorf("domain %s %w", d.Name, ErrHeld)
	}
	c.touch(kindAccounts)
	_, err = c.tx.Exec(`DELETE FROM domain WHERE name = $1`, d.Name)
	return err
}

// AccountID is Reader.AccountID within the change.
func (c *Change) AccountID(name string) (string, error) {
	return accountID(c.ctx, c.tx, c.store.keys, name)
}

// Account reads an account by its id.
func (c *Change) Account(id string) (account.Account, error) {
	return readAccount(c.ctx, c.tx, c.store.keys, id)
}

// AddAccount adds an account, with what belongs to it, and opens its wallet. It
// gets the next number, and an id where it has none. Whatever name of it is
// taken is ErrTaken.
func (c *Change) AddAccount(a Account) (account.Account, error) {
	d, err := c.Domain(a.Domain)
	if err != nil {
		return account.Account{}, err
	}
	a.Domain = d.Name
	if err := c.tx.QueryRow(`SELECT coalesce(max(number), 0) + 1 FROM account`).Scan(&a.Number); err != nil {
		return account.Account{}, fmt.Errorf("number an account: %w", err)
	}
	if a.ID == "" {
		a.ID = "a" + strconv.FormatInt(a.Number, 10)
	}
	if err := c.store.putAccount(c.tx, &a); err != nil {
		return account.Account{}, err
	}
	c.opened[a.ID] = int64(a.Balance)
	c.concerns(a.ID)
	c.touch(kindAccounts)
	return a.Account, nil
}

// SetAccount changes an account, but not its id, number and domain, nor what
// has methods of its own: lines, clients, business credentials, API keys,
// templates, prices, the wallet. A new password and disabling raise its epoch,
// which kills its tokens; edit may raise it besides.
func (c *Change) SetAccount(id string, edit func(*account.Account) error) error {
	before, err := c.Account(id)
	if err != nil {
		return err
	}
	after := before
	if err := edit(&after); err != nil {
		return err
	}
	after.ID, after.Number, after.Domain = before.ID, before.Number, before.Domain
	if after.Epoch == before.Epoch && ends(&before, &after) {
		after.Epoch++
	}
	var others int
	name := nameHash(c.store.keys, after.Domain, after.Username)
	if err := c.tx.QueryRow(`SELECT count(*) FROM account WHERE name_hash = $1 AND id <> $2`, name, id).Scan(&others); err != nil {
		return fmt.Errorf("look for the name of an account: %w", err)
	}
	if others > 0 {
		return taken("the user name")
	}
	sealed, err := sealAccount(c.store.keys, &after)
	if err != nil {
		return err
	}
	c.concerns(id)
	c.touch(kindAccounts)
	return one(c.tx, ErrNoAccount, `UPDATE account SET name_hash = $1, disabled = $2, expires_at = $3, token_days = $4, rate = $5, `+
		`epoch = $6, sealed = $7, query_login = $8, spend_day = $9, number_hour = $10, prefix_hour = $11 WHERE id = $12`,
		name, flag(after.Disabled), micros(after.Expires), after.TokenDays, after.Rate, after.Epoch, sealed,
		flag(after.QueryLogin), int64(after.SMS.SpendDay), after.SMS.NumberHour, after.SMS.PrefixHour, id)
}

// ends tells whether a change of the account ends its tokens.
func ends(before, after *account.Account) bool {
	return after.Disabled && !before.Disabled || after.Password != before.Password || after.TokenPassword != before.TokenPassword
}

// Logout kills every token of the account.
func (c *Change) Logout(id string) error {
	return c.SetAccount(id, func(a *account.Account) error {
		a.Epoch++
		return nil
	})
}

// place is the next place among what belongs to an account.
func (c *Change) place(table, id, name string) (place int, err error) {
	if err := named(name); err != nil {
		return 0, err
	}
	// A foreign key would refuse it too, in words that say nothing.
	var accounts int
	if err := c.tx.QueryRow(`SELECT count(*) FROM account WHERE id = $1`, id).Scan(&accounts); err != nil || accounts == 0 {
		return 0, errors.Join(err, ErrNoAccount)
	}
	err = c.tx.QueryRow(`SELECT coalesce(max(place), -1) + 1 FROM `+table+` WHERE account = $1`, id).Scan(&place) //nolint:gosec // a word of this file
	c.concerns(id)
	c.touch(kindAccounts)
	return place, err
}

// owner finds the account that a row belongs to, which is about to be changed.
func (c *Change) owner(what, query, key string) (string, error) {
	owner, err := c.holder(what, query, key)
	if err == nil {
		c.touch(kindAccounts)
	}
	return owner, err
}

// holder is owner where the account stays as it is.
func (c *Change) holder(what, query, key string) (string, error) {
	var owner string
	err := c.tx.QueryRow(query, key).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		return "", missing(what)
	}
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", what, err)
	}
	c.concerns(owner)
	return owner, nil
}
