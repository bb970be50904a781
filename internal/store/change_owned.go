package store

import (
	"slices"

	"dargah.dev/dargah/internal/account"
)

// AddLine gives an account a sender line, after those that it has.
func (c *Change) AddLine(owner string, l account.Line) error {
	place, err := c.place("line", owner, l.Number)
	if err != nil {
		return err
	}
	return putLine(c.tx, owner, place, l)
}

const lineOwner = `SELECT account FROM line WHERE key = $1`

// LineOwner is the id of the account that has the line, by any spelling of its
// number.
func (c *Change) LineOwner(number string) (string, error) {
	return c.holder("line "+number, lineOwner, account.LineKey(number))
}

// Line finds a line by any spelling of its number, and the account that has it.
func (c *Change) Line(number string) (account.Account, account.Line, error) {
	owner, err := c.ownerOf("line "+number, lineOwner, account.LineKey(number))
	line, _ := owner.Line(number)
	return owner, line, err
}

// SetLine changes a line, but not its number.
func (c *Change) SetLine(number string, edit func(*account.Line)) error {
	_, l, err := c.Line(number)
	if err != nil {
		return err
	}
	edit(&l)
	return one(c.tx, missing("line "+number), `UPDATE line SET suspended = $1, quiet_from = $2, quiet_until = $3, day_limit = $4 WHERE key = $5`,
		flag(l.Suspended), l.Quiet.From, l.Quiet.To, l.DayLimit, account.LineKey(number))
}

// RemoveLine takes a line away from its account.
func (c *Change) RemoveLine(number string) error {
	if _, _, err := c.Line(number); err != nil {
		return err
	}
	return one(c.tx, missing("line "+number), `DELETE FROM line WHERE key = $1`, account.LineKey(number))
}

// AddClient gives an account an OAuth client.
func (c *Change) AddClient(owner string, client account.Client) error {
	place, err := c.place("client", owner, client.ID)
	if err != nil {
		return err
	}
	return putClient(c.tx, owner, place, client)
}

// Client finds an OAuth client, and the account that owns it.
func (c *Change) Client(id string) (account.Account, account.Client, error) {
	owner, err := c.ownerOf("client "+id, `SELECT account FROM client WHERE id = $1`, id)
	if err != nil {
		return account.Account{}, account.Client{}, err
	}
	i := slices.IndexFunc(owner.Clients, func(client account.Client) bool { return client.ID == id })
	return owner, owner.Clients[i], nil
}

// SetClient changes an OAuth client, but not its id. The tokens of one that is
// disabled are good for nothing meanwhile.
func (c *Change) SetClient(id string, edit func(*account.Client)) error {
	_, client, err := c.Client(id)
	if err != nil {
		return err
	}
	edit(&client)
	return one(c.tx, missing("client "+id), `UPDATE client SET secret_hash = $1, password_grant = $2, disabled = $3, former_hash = $4, former_until = $5 WHERE id = $6`,
		client.SecretHash[:], flag(client.PasswordGrant), flag(client.Disabled), formerHash(client.Former), micros(client.Former.Until), id)
}

// RemoveClient removes an OAuth client; its tokens are good for nothing from
// then on.
func (c *Change) RemoveClient(id string) error {
	if _, _, err := c.Client(id); err != nil {
		return err
	}
	return one(c.tx, missing("client "+id), `DELETE FROM client WHERE id = $1`, id)
}

// AddBusiness gives an account a business credential.
func (c *Change) AddBusiness(owner string, b account.Business) error {
	place, err := c.place("business", owner, b.ID)
	if err != nil {
		return err
	}
	return putBusiness(c.tx, owner, place, b)
}

// Business finds a business credential, and the account that owns it.
func (c *Change) Business(id string) (account.Account, account.Business, error) {
	owner, err := c.ownerOf("business id "+id, `SELECT account FROM business WHERE id = $1`, id)
	if err != nil {
		return account.Account{}, account.Business{}, err
	}
	i := slices.IndexFunc(owner.Business, func(b account.Business) bool { return b.ID == id })
	return owner, owner.Business[i], nil
}

// SetBusiness changes a business credential, but not its id.
func (c *Change) SetBusiness(id string, edit func(*account.Business)) error {
	_, b, err := c.Business(id)
	if err != nil {
		return err
	}
	edit(&b)
	return one(c.tx, missing("business id "+id), `UPDATE business SET token_hash = $1, disabled = $2, former_hash = $3, former_until = $4 WHERE id = $5`,
		b.TokenHash[:], flag(b.Disabled), formerHash(b.Former), micros(b.Former.Until), id)
}

// MoveBusiness gives a business credential, as it is, to another account. The
// record names that one: it answers for the calls from then on.
func (c *Change) MoveBusiness(id, to string) error {
	owner, _, err := c.Business(id)
	if err != nil || owner.ID == to {
		return err
	}
	place, err := c.place("business", to, id)
	if err != nil {
		return err
	}
	c.act.Account = to
	return one(c.tx, missing("business id "+id), `UPDATE business SET account = $1, place = $2 WHERE id = $3`, to, place, id)
}

// RemoveBusiness removes a business credential.
func (c *Change) RemoveBusiness(id string) error {
	if _, _, err := c.Business(id); err != nil {
		return err
	}
	return one(c.tx, missing("business id "+id), `DELETE FROM business WHERE id = $1`, id)
}

// ownerOf reads the account that a row belongs to.
func (c *Change) ownerOf(what, query, key string) (account.Account, error) {
	owner, err := c.owner(what, query, key)
	if err != nil {
		return account.Account{}, err
	}
	return c.Account(owner)
}
