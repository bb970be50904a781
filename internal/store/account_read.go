package store

import (
	"context"
	"encoding/json"
	"fmt"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/seal"
)

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
	for _, step := range []func(context.Context) error{r.domains, r.accounts, r.lines, r.clients, r.business, r.apiKeys, r.templates, r.prices} {
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
	return r.each(ctx, `SELECT id, number, domain, disabled, expires_at, token_days, rate, epoch, sealed, query_login, spend_day, number_hour, prefix_hour FROM account`, "id", "number",
		func(into func(...any) error) error {
			var a account.Account
			var expires int64
			var sealed []byte
			if err := into(&a.ID, &a.Number, &a.Domain, &a.Disabled, &expires, &a.TokenDays, &a.Rate, &a.Epoch, &sealed,
				&a.QueryLogin, (*int64)(&a.SMS.SpendDay), &a.SMS.NumberHour, &a.SMS.PrefixHour); err != nil {
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
	return r.each(ctx, `SELECT account, number, suspended, quiet_from, quiet_until, day_limit FROM line`, "account", "account, place",
		func(into func(...any) error) error {
			var owner string
			var l account.Line
			if err := into(&owner, &l.Number, &l.Suspended, &l.Quiet.From, &l.Quiet.To, &l.DayLimit); err != nil {
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

func (r *accountReader) apiKeys(ctx context.Context) error {
	return r.each(ctx, `SELECT account, id, key_hash, disabled FROM api_key`, "account", "account, place", func(into func(...any) error) error {
		var owner string
		var k account.APIKey
		var hash []byte
		if err := into(&owner, &k.ID, &hash, &k.Disabled); err != nil {
			return err
		}
		if err := fill(&k.Hash, hash); err != nil {
			return err
		}
		a := r.owner(owner)
		a.APIKeys = append(a.APIKeys, k)
		return nil
	})
}

func (r *accountReader) templates(ctx context.Context) error {
	return r.each(ctx, `SELECT account, id, line, urgent, once, body FROM template`, "account", "account, place", func(into func(...any) error) error {
		var owner string
		var t account.Template
		if err := into(&owner, &t.ID, &t.Line, &t.Urgent, &t.Once, &t.Body); err != nil {
			return err
		}
		a := r.owner(owner)
		a.Templates = append(a.Templates, t)
		return nil
	})
}

func (r *accountReader) prices(ctx context.Context) error {
	return r.each(ctx, `SELECT account, service, amount FROM account_price`, "account", "account, service", func(into func(...any) error) error {
		var owner, service string
		var amount int64
		if err := into(&owner, &service, &amount); err != nil {
			return err
		}
		a := r.owner(owner)
		if a.Prices == nil {
			a.Prices = map[string]rial.Amount{}
		}
		a.Prices[service] = rial.Amount(amount)
		return nil
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
