// Package ledger owns the words of money: what a charge is. The store makes
// it durable and refuses what a wallet does not cover.
package ledger

import "dargah.dev/dargah/internal/rial"

// Charge takes Amount from a wallet. The zero Charge moves nothing.
type Charge struct {
	Account string
	Amount  rial.Amount
}
