package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/audit"
)

// probeName is the setting that Ready reads, and writes after a failure.
const probeName = "store/probe"

// Setting gives a value that PutSetting kept; false where there is none.
func (s *Store) Setting(ctx context.Context, name string) (value string, ok bool, err error) {
	ctx, cancel := s.soon(ctx)
	defer cancel()
	return readSetting(ctx, s.reader, name)
}

func readSetting(ctx context.Context, db querier, name string) (value string, ok bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the setting %s: %w", name, err)
	}
	return value, true, nil
}

// PutSetting keeps a value under a name. Settings are not sealed.
func (s *Store) PutSetting(ctx context.Context, name, value string) error {
	if err := named(name); err != nil || !readable(value) {
		return fmt.Errorf("keep a setting: %w", errText)
	}
	return s.write(ctx, "keep the setting "+name, func(tx *sql.Tx) error { return putSetting(tx, name, value) })
}

func putSetting(tx *sql.Tx, name, value string) error {
	_, err := tx.Exec(`INSERT INTO setting (name, value) VALUES ($1, $2) `+
		`ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// Secret gives the secret of this name. The first time it is made by fresh and
// kept, sealed; callers at the same time get the same one.
func (s *Store) Secret(ctx context.Context, name string, fresh func() []byte) ([]byte, error) {
	row := "secret/" + name
	made, err := s.keys.Seal(fresh(), row)
	if err != nil {
		return nil, fmt.Errorf("keep the secret %s: %w", name, err)
	}
	var sealed []byte
	err = s.write(ctx, "keep the secret "+name, func(tx *sql.Tx) error {
		// Another node may be making it at this moment: the first one's counts.
		if _, err := tx.Exec(`INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, row, made); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT sealed FROM secret WHERE name = $1`, row).Scan(&sealed)
	})
	if err != nil {
		return nil, err
	}
	plain, err := s.keys.Unseal(sealed, row)
	if err != nil {
		return nil, fmt.Errorf("read the secret %s: %w", name, err)
	}
	return plain, nil
}

// Prices gives what an answer of each priced service costs, in rials.
func (s *Store) Prices(ctx context.Context) (map[string]int64, error) {
	return readPrices(ctx, s.reader)
}

func readPrices(ctx context.Context, db querier) (map[string]int64, error) {
	prices := map[string]int64{}
	rows, err := db.QueryContext(ctx, `SELECT service, amount FROM price`)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var service string
			var amount int64
			if err := into(&service, &amount); err != nil {
				return err
			}
			prices[service] = amount
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	return prices, nil
}

// PutPrices sets the prices of these services, in rials, 0 or more.
func (s *Store) PutPrices(ctx context.Context, prices map[string]int64) error {
	return s.write(ctx, "set prices", func(tx *sql.Tx) error {
		for _, service := range slices.Sorted(maps.Keys(prices)) { // in one order, or two nodes wait for each other
			if err := named(service); err != nil {
				return err
			}
			if err := putPrice(tx, service, prices[service]); err != nil {
				return err
			}
		}
		return nil
	})
}

func putPrice(tx *sql.Tx, service string, amount int64) error {
	_, err := tx.Exec(`INSERT INTO price (service, amount) VALUES ($1, $2) `+
		`ON CONFLICT (service) DO UPDATE SET amount = excluded.amount`, service, amount)
	return err
}

// WriteTally adds counts of unknown callers to those that are kept. On an
// error none was added.
func (s *Store) WriteTally(ctx context.Context, counts map[audit.Garbage]int64) error {
	if len(counts) == 0 {
		return nil
	}
	return s.write(ctx, "write the tally", func(tx *sql.Tx) error {
		for _, kind := range inOrder(counts) {
			if _, err := tx.Exec(`INSERT INTO tally (minute, peer, dialect, outcome, calls) VALUES ($1, $2, $3, $4, $5) `+
				`ON CONFLICT (minute, peer, dialect, outcome) DO UPDATE SET calls = tally.calls + excluded.calls`,
				kind.Minute, peerText(kind.Peer), kind.Dialect, kind.Outcome.String(), counts[kind]); err != nil {
				return err
			}
		}
		return nil
	})
}

// inOrder gives the kinds in one order: two nodes that write the same rows in
// another order would wait for each other.
func inOrder(counts map[audit.Garbage]int64) []audit.Garbage {
	return slices.SortedFunc(maps.Keys(counts), func(a, b audit.Garbage) int {
		return cmp.Or(cmp.Compare(a.Minute, b.Minute), a.Peer.Compare(b.Peer), strings.Compare(a.Dialect, b.Dialect),
			strings.Compare(a.Outcome.String(), b.Outcome.String()))
	})
}
