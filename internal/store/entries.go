package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/closing"
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
	ctx, cancel := s.soon(ctx)
	defer cancel()
	p := entryPage{Query: q}
	if p.floor, err = s.floor(ctx, q); err != nil {
		return nil, nil, err
	}
	text := p.newest()
	rows, err := s.reader.QueryContext(ctx, text, p.args...)
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

// floor tells when the oldest was of so many calls as are asked for, those that
// began last; zero where there are fewer. A call that is not among them, and did
// not begin just before, was charged before all of them.
func (s *Store) floor(ctx context.Context, q ledger.Query) (time.Time, error) {
	p := entryPage{Query: q}
	text := p.oldest()
	if text == "" {
		return time.Time{}, nil
	}
	var n int
	var at int64
	if err := s.reader.QueryRowContext(ctx, text, p.args...).Scan(&n, &at); err != nil || n < q.Limit {
		return time.Time{}, err
	}
	return fromMicros(at), nil
}

// entryPage is a query on its way into SQL, which reads little more than what it
// gives, however long the account's history is. The newest are those of the last
// moment, and of these the last in the ledger.
type entryPage struct {
	ledger.Query
	floor time.Time // of what calls take; zero for any
	args  []any
}

func (p *entryPage) bind(value any) string {
	p.args = append(p.args, value)
	return "$" + strconv.Itoa(len(p.args))
}

// within bounds a moment, with some slack.
func (p *entryPage) within(column string, slack time.Duration) (where string) {
	if !p.From.IsZero() {
		where += " AND " + column + " >= " + p.bind(micros(p.From.Add(-slack)))
	}
	if !p.Until.IsZero() {
		where += " AND " + column + " < " + p.bind(micros(p.Until.Add(slack)))
	}
	return where
}

// ofMessages finds entries by way of the batches: both the batches of an account
// and the entries of a call have an index, in which little has to be passed over.
func (p *entryPage) ofMessages() string {
	text := `SELECT e.call, e.kind, e.amount, e.balance, e.at FROM batch b JOIN entry e ON e.account = b.account AND e.call = b.call ` +
		`WHERE b.account = ` + p.bind(p.Account) + p.within("b.at", chargedWithin) + p.within("e.at", 0)
	if len(p.Kinds) > 0 {
		text += " AND e.kind IN " + p.kinds(p.Kinds)
	}
	return text + " ORDER BY b.at DESC LIMIT " + p.bind(p.Limit)
}

func (p *entryPage) kinds(all []ledger.Kind) string {
	marks := make([]string, len(all))
	for i, kind := range all {
		marks[i] = p.bind(string(kind))
	}
	return "(" + strings.Join(marks, ", ") + ")"
}

// notOfCalls is what the index entry_kind is of. What calls take is not in it:
// a further index of these would be written with each call.
const notOfCalls = ` AND kind <> 'charge' AND kind <> 'reserve' AND kind <> 'settle'`

const newestFirst = ` ORDER BY at DESC, seq DESC LIMIT `

// newest finds the newest of each kind, and of these the newest.
func (p *entryPage) newest() string {
	if p.Messages {
		return p.ofMessages()
	}
	calls, others := p.split()
	var parts []string
	part := func(where string) {
		parts = append(parts, `SELECT * FROM (SELECT seq, call, kind, amount, balance, at FROM entry WHERE account = `+p.bind(p.Account)+
			where+p.within("at", 0)+newestFirst+p.bind(p.Limit)+`) AS part`)
	}
	if len(calls) > 0 {
		part(p.ofCalls(calls))
	}
	for _, kind := range others {
		part(` AND kind = ` + p.bind(string(kind)) + notOfCalls)
	}
	return `SELECT call, kind, amount, balance, at FROM (` + strings.Join(parts, " UNION ALL ") + `) AS newest` + newestFirst + p.bind(p.Limit)
}

// oldest finds the moment of the oldest of so many calls, in the order of the
// calls. That is nearly the order of what they took. It is empty where no calls
// are looked for in that order.
func (p *entryPage) oldest() string {
	calls, _ := p.split()
	if len(calls) == 0 || p.Messages {
		return ""
	}
	return `SELECT count(*), coalesce(min(at), 0) FROM (SELECT at FROM entry WHERE account = ` + p.bind(p.Account) +
		p.ofCalls(calls) + p.within("at", 0) + ` ORDER BY call DESC LIMIT ` + p.bind(p.Limit) + `) AS newest`
}

func (p *entryPage) split() (calls, others []ledger.Kind) {
	kinds := p.Kinds
	if len(kinds) == 0 {
		kinds = ledger.Kinds()
	}
	for _, kind := range kinds {
		if kind == ledger.Charge || kind == ledger.Reserve {
			calls = append(calls, kind)
		} else {
			others = append(others, kind)
		}
	}
	return calls, others
}

// ofCalls bounds calls by their ids, which rise with time.
func (p *entryPage) ofCalls(kinds []ledger.Kind) string {
	where, from := ` AND kind IN `+p.kinds(kinds), p.floor
	if from.Before(p.From) {
		from = p.From
	}
	if !from.IsZero() {
		where += ` AND call >= ` + p.bind(closing.FirstID(from.Add(-chargedWithin)))
	}
	if !p.Until.IsZero() {
		where += ` AND call < ` + p.bind(closing.FirstID(p.Until.Add(chargedWithin)))
	}
	return where
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
