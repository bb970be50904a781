package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
)

// StatementLine is one movement of a wallet, with what is known of its reason.
type StatementLine struct {
	Entry
	// Settled is how much of a reservation was earned; 0 while its call is
	// under way, and where all of it was released.
	Settled rial.Amount
	Actor   string // who moved it, where an operator did
	Reason  string
	Refers  string // the call whose charge was given back
}

// Statement calls do with what an account's wallet held before a part of time,
// what it holds after it, and its movements in that part, the oldest first; all
// as they were at one moment. The account of the part is needed.
func (r *Reader) Statement(ctx context.Context, part Part,
	do func(before, after rial.Amount, lines iter.Seq2[*StatementLine, error]) error,
) error {
	return r.snapshot(ctx, func(tx *sql.Tx) error {
		before, err := sumBefore(ctx, tx, part.Account, micros(part.From))
		if err != nil {
			return err
		}
		after := before
		if err := tx.QueryRowContext(ctx, `SELECT balance FROM wallet WHERE account = $1`, part.Account).Scan(&after); err != nil {
			return fmt.Errorf("read a statement: %w", err)
		}
		if !part.To.IsZero() {
			if after, err = sumBefore(ctx, tx, part.Account, micros(part.To)); err != nil {
				return err
			}
		}
		return do(before, after, statementLines(ctx, tx, part))
	})
}

// sumBefore adds up what was moved before a moment.
func sumBefore(ctx context.Context, tx *sql.Tx, account string, before int64) (sum rial.Amount, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(cast(sum(amount) AS BIGINT), 0) FROM entry WHERE account = $1 AND at < $2`,
		account, before).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("read a statement: %w", err)
	}
	return sum, nil
}

func statementLines(ctx context.Context, tx *sql.Tx, part Part) iter.Seq2[*StatementLine, error] {
	to := int64(1<<63 - 1)
	if !part.To.IsZero() {
		to = micros(part.To)
	}
	return func(yield func(*StatementLine, error) bool) {
		rows, err := tx.QueryContext(ctx, `SELECT e.seq, e.call, e.kind, e.amount, e.balance, e.at, `+
			`coalesce(-s.amount, 0), coalesce(o.actor, ''), coalesce(o.reason, ''), coalesce(o.refers, '') FROM entry e `+
			`LEFT JOIN entry s ON e.kind = $1 AND s.account = $2 AND s.call = e.call AND s.kind = $3 `+
			`LEFT JOIN operation o ON o.id = e.call `+
			`WHERE e.account = $4 AND e.at >= $5 AND e.at < $6 ORDER BY e.seq`,
			string(ledger.Reserve), ledger.Held, string(ledger.Settle), part.Account, micros(part.From), to)
		if err != nil {
			yield(nil, fmt.Errorf("read a statement: %w", err))
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var l StatementLine
			var at int64
			err := rows.Scan(&l.Seq, &l.Call, &l.Kind, &l.Amount, &l.Balance, &at, &l.Settled, &l.Actor, &l.Reason, &l.Refers)
			if err != nil {
				yield(nil, fmt.Errorf("read a statement: %w", err))
				return
			}
			l.At = fromMicros(at)
			if !yield(&l, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("read a statement: %w", err))
		}
	}
}
