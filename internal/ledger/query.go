package ledger

import (
	"time"

	"dargah.dev/dargah/internal/rial"
)

// Query selects movements of a wallet, the newest first. A zero field selects
// nothing out.
type Query struct {
	Account     string // id; needed
	Kinds       []Kind
	Messages    bool      // of calls that sent messages alone
	From, Until time.Time // Until is not in it
	Limit       int       // needed
}

// Entry is one movement of a wallet.
type Entry struct {
	At      time.Time
	Kind    Kind
	Amount  rial.Amount // below 0 where money left the wallet
	Balance rial.Amount // after it
	// Messages: its call sent messages, as far as these are still kept.
	Messages bool
}
