package store

import (
	"database/sql"
	"errors"
	"fmt"

	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/persian"
)

// SetPrice sets what an answer of a service costs, in rials, 0 or more.
func (c *Change) SetPrice(service string, amount int64) error {
	if err := named(service); err != nil {
		return err
	}
	c.touch(kindWorld)
	return putPrice(c.tx, service, amount)
}

// Prices is Store.Prices within the change.
func (c *Change) Prices() (map[string]int64, error) { return readPrices(c.ctx, c.tx) }

// Setting is Store.Setting within the change.
func (c *Change) Setting(name string) (value string, ok bool, err error) {
	return readSetting(c.ctx, c.tx, name)
}

// PutSetting keeps a value under a name, and tells nodes to read the world anew.
func (c *Change) PutSetting(name, value string) error {
	if !readable(value) {
		return errText
	}
	c.touch(kindWorld)
	return putSetting(c.tx, name, value)
}

// Secret gives the secret of this name; nil where there is none.
func (c *Change) Secret(name string) ([]byte, error) {
	row := "secret/" + name
	var sealed []byte
	err := c.tx.QueryRow(`SELECT sealed FROM secret WHERE name = $1`, row).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret %s: %w", name, err)
	}
	return c.store.keys.Unseal(sealed, row)
}

// PutSecret keeps a secret, sealed, in the place of the one of this name, and
// tells nodes to read the world anew.
func (c *Change) PutSecret(name string, plain []byte) error {
	row := "secret/" + name
	sealed, err := c.store.keys.Seal(plain, row)
	if err != nil {
		return err
	}
	c.touch(kindWorld)
	_, err = c.tx.Exec(`INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`, row, sealed)
	return err
}

// AddPerson adds somebody to the register; whose national code is there
// already is ErrTaken; the error may be ErrCollision too.
func (c *Change) AddPerson(p Person) error {
	err := c.putPerson(p, `ON CONFLICT DO NOTHING`)
	if !errors.Is(err, ErrCollision) {
		return err
	}
	if there, err := c.HasPerson(p.NationalCode); err != nil {
		return err
	} else if there {
		return taken("the national code")
	}
	return err
}

// SetPerson puts somebody in the place of who has this national code, if
// anybody. It may fail with ErrCollision.
func (c *Change) SetPerson(p Person) error {
	c.changes(p.NationalCode)
	return c.putPerson(p, replacePerson)
}

func (c *Change) putPerson(p Person, tail string) error {
	rows, err := c.store.sealPeople([]Person{p})
	if err != nil {
		return err
	}
	c.about(p.NationalCode)
	return one(c.tx, ErrCollision, `INSERT INTO person (id, rest, sealed) VALUES ($1, $2, $3) `+tail,
		rows[0].key.id, rows[0].key.rest[:], rows[0].sealed)
}

// changes notes somebody's row, who may have been in the register before.
func (c *Change) changes(code persian.NationalCode) {
	id, _ := c.personKey(code)
	c.people = append(c.people, id)
	c.touch(kindPeople)
}

func (c *Change) personKey(code persian.NationalCode) (id int64, rest []byte) {
	key := keyOf(c.store.keys.Hash(personHash, code.Digits()))
	return key.id, key.rest[:]
}

// HasPerson tells whether somebody is in the register.
func (c *Change) HasPerson(code persian.NationalCode) (bool, error) {
	var n int
	id, rest := c.personKey(code)
	err := c.tx.QueryRow(`SELECT count(*) FROM person WHERE id = $1 AND rest = $2`, id, rest).Scan(&n)
	return n > 0, err
}

// RemovePerson removes somebody from the register.
func (c *Change) RemovePerson(code persian.NationalCode) error {
	c.changes(code)
	c.about(code)
	id, rest := c.personKey(code)
	return one(c.tx, missing("the national code"), `DELETE FROM person WHERE id = $1 AND rest = $2`, id, rest)
}

// AddReports adds credit reports to those that a person has.
func (c *Change) AddReports(code persian.NationalCode, reports []credit.Report) error {
	c.about(code)
	return c.store.putReports(c.tx, code, reports)
}

// Reports counts the credit reports of a person.
func (c *Change) Reports(code persian.NationalCode) (n int, err error) {
	err = c.tx.QueryRow(`SELECT count(*) FROM report WHERE person = $1`, c.store.keys.Hash(reportHash, code.Digits())).Scan(&n)
	return n, err
}

// RemoveReports removes all credit reports of a person.
func (c *Change) RemoveReports(code persian.NationalCode) error {
	c.about(code)
	return one(c.tx, missing("a report of this person"), `DELETE FROM report WHERE person = $1`, c.store.keys.Hash(reportHash, code.Digits()))
}
