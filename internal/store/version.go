package store

import (
	"context"
	"fmt"
)

// The kinds of things that nodes keep in memory, each with a number that rises
// at every change.
const (
	kindAccounts = "accounts"
	kindFamilies = "families"
	kindWorld    = "world"
)

// Versions are those numbers.
type Versions struct {
	Accounts int64 // domains, accounts and what belongs to them
	Families int64 // families of refresh tokens that were killed
	World    int64 // prices, origins, scenarios
}

// Versions reads the numbers in force.
func (s *Store) Versions(ctx context.Context) (v Versions, err error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT kind, number FROM version`)
	if err == nil {
		of := map[string]*int64{kindAccounts: &v.Accounts, kindFamilies: &v.Families, kindWorld: &v.World}
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
