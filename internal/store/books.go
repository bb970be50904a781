package store

import (
	"context"
	"fmt"

	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
)

// Imbalance is an account whose balance is not what its entries say.
type Imbalance struct {
	Account string // or one of the house's; "all" for the sum of all balances
	Balance rial.Amount
	Entries rial.Amount // what it should be
}

func (i Imbalance) String() string {
	return fmt.Sprintf("%s: the balance is %d, the entries say %d", i.Account, i.Balance, i.Entries)
}

// addUp is one statement, so that it sees one moment. Its rows are each balance
// beside the sum of both sides of its entries, and what the house holds beside
// the reservations, which counts for nothing in the sum of all.
const addUp = `SELECT 1, w.account, w.balance, ` +
	`coalesce((SELECT cast(sum(e.amount) AS BIGINT) FROM entry e WHERE e.account = w.account), 0) FROM wallet w ` +
	`UNION ALL SELECT 1, h.name, h.balance, ` +
	`coalesce((SELECT cast(-sum(e.amount) AS BIGINT) FROM entry e WHERE e.contra = h.name), 0) + ` +
	`coalesce((SELECT cast(sum(e.amount) AS BIGINT) FROM entry e WHERE e.account = h.name), 0) FROM house h ` +
	`UNION ALL SELECT 0, 'reservations', h.balance, ` +
	`coalesce((SELECT cast(sum(r.amount) AS BIGINT) FROM reservation r), 0) FROM house h WHERE h.name = $1`

// Audit adds up the whole ledger as it is at one moment, and gives what does
// not agree: each balance with its entries, what the house holds with the
// reservations, and all balances with 0.
func (s *Store) Audit(ctx context.Context) ([]Imbalance, error) { return imbalances(ctx, s.engine) }

// Audit is as a Store's.
func (r *Reader) Audit(ctx context.Context) ([]Imbalance, error) { return imbalances(ctx, r.engine) }

func imbalances(ctx context.Context, e engine) (wrong []Imbalance, err error) {
	_, _, patient := e.pools()
	rows, err := patient.QueryContext(ctx, addUp, ledger.Held)
	if err != nil {
		return nil, fmt.Errorf("add the ledger up: %w", err)
	}
	var all rial.Amount
	err = scan(rows, func(into func(...any) error) error {
		var i Imbalance
		var counts rial.Amount
		if err := into(&counts, &i.Account, &i.Balance, &i.Entries); err != nil {
			return err
		}
		all += counts * i.Balance
		if i.Balance != i.Entries {
			wrong = append(wrong, i)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("add the ledger up: %w", err)
	}
	if all != 0 {
		wrong = append(wrong, Imbalance{Account: "all", Balance: all})
	}
	return wrong, nil
}
