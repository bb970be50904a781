package store

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/rial"
)

// Entry is one movement of a wallet.
type Entry struct {
	Seq     int64
	Call    string
	Kind    string      // opening, charge
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
	rows, err := s.reader.QueryContext(ctx, `SELECT seq, call, at, took_us, dialect, service, method, account, peer, `+
		`outcome, price, source, subject, document FROM audit WHERE account = $1 ORDER BY seq`, account)
	if err != nil {
		return nil, err
	}
	var all []Record
	err = scan(rows, func(into func(...any) error) error {
		var r Record
		var at, took int64
		var peer string
		if err := into(&r.Seq, &r.Call, &at, &took, &r.Dialect, &r.Service, &r.Method, &r.Account, &peer,
			&r.Outcome, &r.Price, &r.Source, &r.Subject, &r.Document); err != nil {
			return err
		}
		r.At, r.Took = fromMicros(at), time.Duration(took)*time.Microsecond
		r.Peer, _ = netip.ParseAddr(peer) // an unknown peer is written as nothing
		all = append(all, r)
		return nil
	})
	return all, err
}

// peerText is how an address is kept; an unknown one as nothing.
func peerText(peer netip.Addr) string {
	if !peer.IsValid() {
		return ""
	}
	return peer.String()
}
