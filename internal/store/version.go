package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// The kinds of things that nodes keep in memory, each with a number that rises
// at every change.
const (
	kindAccounts = "accounts"
	kindFamilies = "families"
	kindWorld    = "world"
	kindWebhooks = "webhooks"
	kindPeople   = "people"
	kindBlocks   = "blocks"
)

// Versions are those numbers.
type Versions struct {
	Accounts int64 // domains, accounts and what belongs to them
	Families int64 // families of refresh tokens that were killed
	World    int64 // prices, origins, scenarios
	Webhooks int64 // who hears of what
	People   int64 // people who were in the register before
	Blocks   int64 // recipients who get nothing from a line
}

// Versions reads the numbers in force.
func (s *Store) Versions(ctx context.Context) (v Versions, err error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT kind, number FROM version`)
	if err == nil {
		of := map[string]*int64{
			kindAccounts: &v.Accounts, kindFamilies: &v.Families, kindWorld: &v.World, kindWebhooks: &v.Webhooks, kindPeople: &v.People,
			kindBlocks: &v.Blocks,
		}
		err = scan(rows, func(into func(...any) error) error {
			var kind string
			var number int64
			err := into(&kind, &number)
			if to := of[kind]; to != nil {
				*to = number
			}
			return err
		})
	}
	if err != nil {
		return Versions{}, fmt.Errorf("read the versions: %w", err)
	}
	return v, nil
}

// raise tells nodes that a kind of thing was changed.
func raise(tx *sql.Tx, kind string) error {
	if err := one(tx, errors.New("its row is missing"), `UPDATE version SET number = number + 1 WHERE kind = $1`, kind); err != nil {
		return fmt.Errorf("raise the version of %s: %w", kind, err)
	}
	return nil
}
