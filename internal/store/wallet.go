package store

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"dargah.dev/dargah/internal/rial"
)

// wallets are the balances in memory: a map that is copied when accounts are
// added, of numbers that change in place, so that no reader waits.
type wallets struct {
	adding sync.Mutex
	known  atomic.Pointer[map[string]*atomic.Int64]
}

func (w *wallets) balance(account string) rial.Amount {
	known := w.known.Load()
	if known == nil {
		return 0
	}
	if b := (*known)[account]; b != nil {
		return rial.Amount(b.Load())
	}
	return 0
}

// put sets balances that are durable already.
func (w *wallets) put(balances map[string]int64) {
	w.adding.Lock()
	defer w.adding.Unlock()
	next := map[string]*atomic.Int64{}
	if known := w.known.Load(); known != nil {
		next = maps.Clone(*known)
	}
	for account, balance := range balances {
		b := new(atomic.Int64)
		b.Store(balance)
		next[account] = b
	}
	w.known.Store(&next)
}

// set changes the balance of an account that is known.
func (w *wallets) set(account string, balance int64) {
	if b := (*w.known.Load())[account]; b != nil {
		b.Store(balance)
	}
}

func (s *Store) loadWallets(ctx context.Context) error {
	rows, err := s.reader.QueryContext(ctx, `SELECT account, balance FROM wallet`)
	if err != nil {
		return fmt.Errorf("load wallets: %w", err)
	}
	balances := map[string]int64{}
	err = scan(rows, func(into func(...any) error) error {
		var account string
		var balance int64
		if err := into(&account, &balance); err != nil {
			return err
		}
		balances[account] = balance
		return nil
	})
	if err != nil {
		return fmt.Errorf("load wallets: %w", err)
	}
	s.wallets.put(balances)
	return nil
}
