package store

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
)

// Entry is one movement of a wallet.
type Entry struct {
	Seq     int64
	Call    string
	Kind    ledger.Kind
	Amount  rial.Amount // negative where money left the wallet
	Balance rial.Amount // after it
	At      time.Time
}

// Record is one call on the trail, with its place in it.
type Record struct {
	Seq int64
	audit.Record
}

// History gives all entries and records of an account, the oldest first.
func (s *Store) History(ctx context.Context, account string) (entries []Entry, records []Record, err error) {
	if entries, err = s.entriesOf(ctx, account); err == nil {
		records, err = s.recordsOf(ctx, account)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the history of account %s: %w", account, err)
	}
	return entries, records, nil
}

func (s *Store) entriesOf(ctx context.Context, account string) ([]Entry, error) {
	rows, err := s.reader.QueryContext(ctx,
		`SELECT seq, call, kind, amount, balance, at FROM entry WHERE account = $1 ORDER BY seq`, account)
	if err != nil {
		return nil, err
	}
	var all []Entry
	err = scan(rows, func(into func(...any) error) error {
		var e Entry
		var at int64
		if err := into(&e.Seq, &e.Call, &e.Kind, &e.Amount, &e.Balance, &at); err != nil {
			return err
		}
		e.At = fromMicros(at)
		all = append(all, e)
		return nil
	})
	return all, err
}

func (s *Store) recordsOf(ctx context.Context, account string) ([]Record, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT `+lineColumns+` FROM audit WHERE account = $1 ORDER BY seq`, account)
	if err != nil {
		return nil, err
	}
	var all []Record
	err = scan(rows, func(into func(...any) error) error {
		var l audit.Line
		if err := into(lineInto(&l)...); err != nil {
			return err
		}
		all = append(all, record(&l))
		return nil
	})
	return all, err
}

func record(l *audit.Line) Record {
	peer, _ := netip.ParseAddr(l.Peer) // an unknown peer is written as nothing
	return Record{Seq: l.Seq, Record: audit.Record{
		Call: l.Call, At: fromMicros(l.At), Took: time.Duration(l.Took) * time.Microsecond,
		Dialect: l.Dialect, Service: l.Service, Method: l.Method, Account: l.Account, Peer: peer,
		Outcome: l.Outcome, Price: rial.Amount(l.Price), Source: l.Source, Subject: l.Subject, Document: l.Document,
	}}
}

// peerText is how an address is kept; an unknown one as nothing.
func peerText(peer netip.Addr) string {
	if !peer.IsValid() {
		return ""
	}
	return peer.String()
}
