package store

import (
	"context"
	"database/sql"
	"errors"
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

// set changes a balance.
func (w *wallets) set(account string, balance int64) {
	if known := w.known.Load(); known != nil {
		if b := (*known)[account]; b != nil {
			b.Store(balance)
			return
		}
	}
	w.put(map[string]int64{account: balance})
}

// Covers tells whether a wallet holds as much as a price. It asks the database
// only where memory says no: another node or a command may have put money
// there. A yes is no promise, since Commit decides.
func (s *Store) Covers(ctx context.Context, account string, price rial.Amount) (bool, error) {
	if price <= s.wallets.balance(account) {
		return true, nil
	}
	balance, err := s.Balance(ctx, account)
	return price <= balance, err
}

// Balance is what an account's wallet holds; 0 for an unknown account.
func (s *Store) Balance(ctx context.Context, account string) (rial.Amount, error) {
	ctx, cancel := s.soon(ctx)
	defer cancel()
	return balance(ctx, s.reader, account)
}

// Balance is as a Store's.
func (r *Reader) Balance(ctx context.Context, account string) (rial.Amount, error) {
	_, db, _ := r.engine.pools()
	return balance(ctx, db, account)
}

func balance(ctx context.Context, db querier, account string) (balance rial.Amount, err error) {
	err = db.QueryRowContext(ctx, `SELECT balance FROM wallet WHERE account = $1`, account).Scan(&balance)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read a balance: %w", err)
	}
	return balance, nil
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
