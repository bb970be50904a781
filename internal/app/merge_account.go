package app

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

func (m *merge) accounts() error {
	for i, a := range m.world.Accounts {
		id, err := m.AccountID(a.Username + "@" + a.Domain)
		switch {
		case errors.Is(err, store.ErrNoAccount):
			if m.hashes[i].password == "" {
				return errors.New("an account was removed meanwhile: say it again")
			}
			id, err = m.add(a, m.hashes[i])
		case err == nil:
			err = m.update(id, a, m.hashes[i])
		}
		if err == nil && id != "" {
			err = m.belongings(id, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add adds the account alone; what belongs to it follows.
func (m *merge) add(a fixture.Account, h hashed) (string, error) {
	made := store.Account{Balance: rial.Amount(a.Balance)}
	Describe(&made.Account, a)
	made.Domain, made.Password, made.TokenPassword = a.Domain, h.password, h.token
	added, err := m.AddAccount(made)
	m.tally("accounts").Added++
	return added.ID, err
}

func (m *merge) update(id string, a fixture.Account, h hashed) error {
	before, err := m.Account(id)
	if err != nil {
		return err
	}
	after := before
	Describe(&after, a)
	after.Password, after.TokenPassword = h.password, h.token
	if !m.Replace || h.password == "" || same(before, after) {
		m.tally("accounts").Kept++
		return nil
	}
	m.tally("accounts").Updated++
	return m.SetAccount(id, func(a *account.Account) error {
		*a = after
		return nil
	})
}

func same(a, b account.Account) bool {
	if !slices.Equal(a.Grants.List(), b.Grants.List()) || !slices.Equal(a.Allowed, b.Allowed) || !a.Expires.Equal(b.Expires) {
		return false
	}
	a.Grants, a.Allowed, a.Expires = b.Grants, b.Allowed, b.Expires
	return reflect.DeepEqual(a, b)
}

func (m *merge) belongings(id string, a fixture.Account) error {
	have, err := m.Account(id)
	if err != nil {
		return err
	}
	for _, l := range a.Lines {
		if err := m.clash(id, m.line(&have, NewLine(l))); err != nil {
			return err
		}
	}
	for _, c := range a.Clients {
		if err := m.clash(id, m.client(&have, NewClient(c))); err != nil {
			return err
		}
	}
	for _, b := range a.Business {
		if err := m.clash(id, m.business(&have, b)); err != nil {
			return err
		}
	}
	for _, k := range a.APIKeys {
		if err := m.clash(id, m.apiKey(&have, NewAPIKey(k))); err != nil {
			return err
		}
	}
	for _, t := range a.Templates {
		if err := m.clash(id, m.template(&have, t)); err != nil {
			return err
		}
	}
	for _, h := range a.Webhooks {
		if err := m.clash(id, m.webhook(NewWebhook(id, h))); err != nil {
			return err
		}
	}
	return m.accountPrices(&have, a.Prices)
}

func (m *merge) line(owner *account.Account, l account.Line) error {
	old, there := owner.Line(l.Number)
	if there {
		l.Number = old.Number
	}
	switch {
	case !there:
		m.tally("lines").Added++
		return m.AddLine(owner.ID, l)
	case m.Replace && old != l:
		m.tally("lines").Updated++
		return m.SetLine(l.Number, func(old *account.Line) { *old = l })
	}
	m.tally("lines").Kept++
	return nil
}

func (m *merge) client(owner *account.Account, c account.Client) error {
	i := slices.IndexFunc(owner.Clients, func(old account.Client) bool { return old.ID == c.ID })
	switch {
	case i < 0:
		m.tally("clients").Added++
		return m.AddClient(owner.ID, c)
	case m.Replace && (owner.Clients[i].SecretHash != c.SecretHash || owner.Clients[i].PasswordGrant != c.PasswordGrant):
		m.tally("clients").Updated++
		return m.SetClient(c.ID, func(old *account.Client) { old.SecretHash, old.PasswordGrant = c.SecretHash, c.PasswordGrant })
	}
	m.tally("clients").Kept++
	return nil
}

func (m *merge) business(owner *account.Account, b fixture.Business) error {
	i := slices.IndexFunc(owner.Business, func(old account.Business) bool { return old.ID == b.ID })
	hash := sha256.Sum256([]byte(b.Token))
	switch {
	case i < 0:
		m.tally("business credentials").Added++
		return m.AddBusiness(owner.ID, NewBusiness(b))
	case m.Replace && owner.Business[i].TokenHash != hash:
		m.tally("business credentials").Updated++
		return m.SetBusiness(b.ID, func(old *account.Business) { old.TokenHash = hash })
	}
	m.tally("business credentials").Kept++
	return nil
}

func (m *merge) apiKey(owner *account.Account, k account.APIKey) error {
	i := slices.IndexFunc(owner.APIKeys, func(old account.APIKey) bool { return old.ID == k.ID })
	switch {
	case i < 0:
		m.tally("API keys").Added++
		return m.AddKey(owner.ID, k)
	case m.Replace && owner.APIKeys[i].Hash != k.Hash:
		m.tally("API keys").Updated++
		return m.SetKey(k.ID, func(old *account.APIKey) { old.Hash = k.Hash })
	}
	m.tally("API keys").Kept++
	return nil
}

// template finds one without an id by everything else of it.
func (m *merge) template(owner *account.Account, given fixture.Template) error {
	t := NewTemplate(given)
	if given.ID == "" {
		same := func(old account.Template) bool { t.ID = old.ID; return t == old }
		if slices.ContainsFunc(owner.Templates, same) {
			m.tally("templates").Kept++
			return nil
		}
		t.ID = ""
	}
	old, there := owner.Template(t.ID)
	switch {
	case !there:
		m.tally("templates").Added++
		_, err := m.AddTemplate(owner.ID, t)
		return err
	case m.Replace && old != t:
		m.tally("templates").Updated++
		return m.SetTemplate(t.ID, func(old *account.Template) { *old = t })
	}
	m.tally("templates").Kept++
	return nil
}

func (m *merge) webhook(w webhook.Webhook) error {
	old, err := m.Webhook(w.ID)
	switch {
	case errors.Is(err, store.ErrNone):
		m.tally("webhooks").Added++
		return m.AddWebhook(w)
	case err != nil:
		return err
	case old.Account != w.Account:
		return fmt.Errorf("webhook %s %w", w.ID, store.ErrTaken)
	case m.Replace && (old.URL != w.URL || !slices.Equal(old.Events, w.Events) || old.WithText != w.WithText || old.Disabled != w.Disabled || old.Secret != w.Secret):
		m.tally("webhooks").Updated++
		return m.SetWebhook(w.ID, func(old *webhook.Webhook) {
			old.URL, old.Events, old.WithText, old.Disabled, old.Secret = w.URL, w.Events, w.WithText, w.Disabled, w.Secret
		})
	}
	m.tally("webhooks").Kept++
	return nil
}

func (m *merge) accountPrices(owner *account.Account, prices map[string]int64) error {
	for _, service := range slices.Sorted(maps.Keys(prices)) {
		amount := rial.Amount(prices[service])
		old, there := owner.Prices[service]
		switch {
		case !there:
			m.tally("account prices").Added++
		case m.Replace && old != amount:
			m.tally("account prices").Updated++
		default:
			m.tally("account prices").Kept++
			continue
		}
		if err := m.SetAccountPrice(owner.ID, service, amount); err != nil {
			return err
		}
	}
	return nil
}
