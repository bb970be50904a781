// Package closing owns what one call leaves behind: its record, its charge and
// its effect on tokens, which the store makes durable together or not at all,
// before the answer leaves.
package closing

import (
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/token"
)

// Closing is the end of one call.
type Closing struct {
	Record   audit.Record
	Charge   ledger.Charge
	Rotation *token.Rotation // a refresh token that was shown, to be spent; nil for other calls
}
