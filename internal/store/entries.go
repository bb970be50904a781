package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/ledger"
)

// chargedWithin is how far the moments of a call and of its charge can be from
// each other: longer than any call takes.
const chargedWithin = time.Minute

// Entries gives movements of a wallet, the newest first. Which of them are for
// messages is known as long as the messages are kept.
func (s *Store) Entries(ctx context.Context, q ledger.Query) ([]ledger.Entry, error) {
	if q.Account == "" || q.Limit < 1 {
		return nil, errors.New("read the entries of a wallet: the query has no account or no limit")
	}
	all, calls, err := s.readEntries(ctx, q)
	if err == nil && !q.Messages {
		err = s.markMessages(ctx, q.Account, all, calls)
	}
	if err != nil {
		return nil, fmt.Errorf("read the entries of a wallet: %w", err)
	}
	return all, nil
}

func (s *Store) readEntries(ctx context.Context, q ledger.Query) (all []ledger.Entry, calls []string, err error) {
	text, args := entryQuery(q)
	rows, err := s.reader.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, nil, err
	}
	err = scan(rows, func(into func(...any) error) error {
		var e ledger.Entry
		var at int64
		var call string
		err := into(&call, &e.Kind, &e.Amount, &e.Balance, &at)
		e.At, e.Messages = fromMicros(at), q.Messages
		all, calls = append(all, e), append(calls, call)
		return err
	})
	return all, calls, err
}

// entryQuery finds those of messages by way of the batches: both the batches of
// an account and the entries of a call have an index, in which nothing has to be
// passed over.
func entryQuery(q ledger.Query) (text string, args []any) {
	const columns = `SELECT e.call, e.kind, e.amount, e.balance, e.at FROM `
	from, order := `entry e WHERE e.account = $1`, `e.seq`
	if q.Messages {
		from, order = `batch b JOIN entry e ON e.account = b.account AND e.call = b.call WHERE b.account = $1`, `b.at`
	}
	args = []any{q.Account}
	bind := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	if !q.From.IsZero() {
		from += " AND e.at >= " + bind(micros(q.From))
	}
	if !q.Until.IsZero() {
		from += " AND e.at < " + bind(micros(q.Until))
	}
	if len(q.Kinds) > 0 {
		marks := make([]string, len(q.Kinds))
		for i, kind := range q.Kinds {
			marks[i] = bind(string(kind))
		}
		from += " AND e.kind IN (" + strings.Join(marks, ", ") + ")"
	}
	limit := bind(q.Limit) // not in the return itself: args could be taken before it is bound
	return columns + from + " ORDER BY " + order + " DESC LIMIT " + limit, args
}

// markMessages marks the charges of calls that sent messages. The batches are
// found by when they were made, since a call has no index there.
func (s *Store) markMessages(ctx context.Context, account string, all []ledger.Entry, calls []string) error {
	first := slices.IndexFunc(all, func(e ledger.Entry) bool { return e.Kind == ledger.Charge })
	if first < 0 {
		return nil
	}
	newest, oldest := all[first].At, all[len(all)-1].At
	rows, err := s.reader.QueryContext(ctx, `SELECT call FROM batch WHERE account = $1 AND at > $2 AND at < $3`,
		account, micros(oldest.Add(-chargedWithin)), micros(newest.Add(chargedWithin)))
	if err != nil {
		return err
	}
	sent := map[string]bool{}
	err = scan(rows, func(into func(...any) error) error {
		var call string
		err := into(&call)
		sent[call] = true
		return err
	})
	for i := range all {
		all[i].Messages = sent[calls[i]]
	}
	return err
}
