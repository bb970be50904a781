package store

import (
	"slices"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/rial"
)

// AddKey gives an account an API key.
func (c *Change) AddKey(owner string, k account.APIKey) error {
	place, err := c.place("api_key", owner, k.ID)
	if err != nil {
		return err
	}
	return putKey(c.tx, owner, place, k)
}

// Key finds an API key by its id, and the account that owns it.
func (c *Change) Key(id string) (account.Account, account.APIKey, error) {
	owner, err := c.ownerOf("API key "+id, `SELECT account FROM api_key WHERE id = $1`, id)
	if err != nil {
		return account.Account{}, account.APIKey{}, err
	}
	i := slices.IndexFunc(owner.APIKeys, func(k account.APIKey) bool { return k.ID == id })
	return owner, owner.APIKeys[i], nil
}

// SetKey changes an API key, but not its id. A hash that another key has is
// ErrTaken.
func (c *Change) SetKey(id string, edit func(*account.APIKey)) error {
	_, k, err := c.Key(id)
	if err != nil {
		return err
	}
	edit(&k)
	var others int
	if err := c.tx.QueryRow(`SELECT count(*) FROM api_key WHERE key_hash = $1 AND id <> $2`, k.Hash[:], id).Scan(&others); err != nil {
		return err
	}
	if others > 0 {
		return taken("the secret of API key " + id)
	}
	return one(c.tx, missing("API key "+id), `UPDATE api_key SET key_hash = $1, disabled = $2 WHERE id = $3`, k.Hash[:], flag(k.Disabled), id)
}

// RemoveKey removes an API key.
func (c *Change) RemoveKey(id string) error {
	if _, _, err := c.Key(id); err != nil {
		return err
	}
	return one(c.tx, missing("API key "+id), `DELETE FROM api_key WHERE id = $1`, id)
}

// AddTemplate gives an account a template, and makes an id where it has none.
func (c *Change) AddTemplate(owner string, t account.Template) (account.Template, error) {
	if t.ID == "" {
		t.ID = account.NewTemplateID()
	}
	place, err := c.place("template", owner, t.ID)
	if err != nil {
		return account.Template{}, err
	}
	return t, putTemplate(c.tx, owner, place, t)
}

// Template finds a template by its id, and the account that owns it.
func (c *Change) Template(id string) (account.Account, account.Template, error) {
	owner, err := c.ownerOf("template "+id, `SELECT account FROM template WHERE id = $1`, id)
	if err != nil {
		return account.Account{}, account.Template{}, err
	}
	t, _ := owner.Template(id)
	return owner, t, nil
}

// SetTemplate changes a template, but not its id.
func (c *Change) SetTemplate(id string, edit func(*account.Template)) error {
	_, t, err := c.Template(id)
	if err != nil {
		return err
	}
	edit(&t)
	if err := readableTemplate(t); err != nil {
		return err
	}
	return one(c.tx, missing("template "+id), `UPDATE template SET line = $1, urgent = $2, once = $3, body = $4 WHERE id = $5`,
		t.Line, flag(t.Urgent), flag(t.Once), t.Body, id)
}

// RemoveTemplate removes a template.
func (c *Change) RemoveTemplate(id string) error {
	if _, _, err := c.Template(id); err != nil {
		return err
	}
	return one(c.tx, missing("template "+id), `DELETE FROM template WHERE id = $1`, id)
}

// SetAccountPrice sets what an answer of a service costs this account, instead
// of what it costs others.
func (c *Change) SetAccountPrice(id, service string, amount rial.Amount) error {
	if err := c.priced(id, service); err != nil {
		return err
	}
	return putAccountPrice(c.tx, id, service, amount)
}

// RemoveAccountPrice lets an account pay what others pay.
func (c *Change) RemoveAccountPrice(id, service string) error {
	if err := c.priced(id, service); err != nil {
		return err
	}
	return one(c.tx, missing("a price of "+service+" of this account"), `DELETE FROM account_price WHERE account = $1 AND service = $2`, id, service)
}

func (c *Change) priced(id, service string) error {
	if err := named(service); err != nil {
		return err
	}
	_, err := c.owner("account "+id, `SELECT id FROM account WHERE id = $1`, id)
	return err
}
