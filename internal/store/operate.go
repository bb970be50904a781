package store

import (
	"context"
	"errors"
	"fmt"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/ledger"
)

var (
	// ErrBelowZero means that a wallet holds less than is to be taken from it.
	ErrBelowZero = errors.New("the wallet holds less than that")
	// ErrNoCharge means that the call was not charged, or less is left of its
	// charge than is to be given back.
	ErrNoCharge = errors.New("no such charge, or so much of it was given back already")
	// ErrDone means that an operation of this id was done before.
	ErrDone = errors.New("this operation was done before")
)

// Operate moves money as an operator says: a top-up, a refund of a charge, or a
// correction, with its record on the trail. Besides ErrNoAccount, ErrBelowZero,
// ErrNoCharge and ErrDone an error means that nothing was stored either.
func (s *Store) Operate(ctx context.Context, op ledger.Operation) error {
	switch {
	case op.ID == "" || op.Account == "" || op.Actor == "":
		return errors.New("an operation needs an id, an account and an actor")
	case op.Amount == 0 && op.Kind != ledger.Refund || op.Amount < 0 && op.Kind != ledger.Correction:
		return errors.New("an operation needs an amount above zero")
	case op.Kind != ledger.TopUp && op.Reason == "":
		return errors.New("a refund and a correction need a reason")
	case op.Kind == ledger.Refund && op.Refers == "":
		return errors.New("a refund needs the call whose charge it gives back")
	}
	return told("move money", s.do(ctx, func(o *order) { o.operation = &op }))
}

// operate decides an operation.
func (g *group) operate(o *order) error {
	op := o.operation
	w, amount := g.wallets[op.Account], int64(op.Amount)
	before, err := g.charged(op.Account, op.ID, op.Kind)
	switch {
	case err != nil:
		return err
	case before != 0 || g.operated(op.ID):
		o.refusal = ErrDone
		return nil
	case w.balance == none:
		o.refusal = ErrNoAccount
		return nil
	case w.balance+amount < 0:
		o.refusal = ErrBelowZero
		return nil
	}
	if op.Kind == ledger.Refund {
		left, err := g.refundable(op)
		if err != nil {
			return err
		}
		if amount > left || left == 0 {
			o.refusal = ErrNoCharge
			return nil
		}
		if amount == 0 {
			amount = left
		}
	}
	g.post(w, op.ID, op.Kind, amount)
	g.operations = append(g.operations, op.ID, op.Actor, op.Reason, op.Refers, g.now)
	g.record(&audit.Record{
		Call: op.ID, At: fromMicros(g.now), Dialect: "command", Service: "wallet", Method: string(op.Kind),
		Account: op.Account, Source: op.Actor,
	}, audit.Answered, -amount, op.Refers)
	return nil
}

// operated tells whether the group has an operation of this id already.
func (g *group) operated(id string) bool {
	for i := 0; i < len(g.operations); i += g.sql.operations.columns {
		if g.operations[i] == id {
			return true
		}
	}
	return false
}

// refundable is how much of the charge of a call can be given back.
func (g *group) refundable(op *ledger.Operation) (int64, error) {
	paid, err := g.charged(op.Account, op.Refers, ledger.Charge)
	if err != nil {
		return 0, err
	}
	if paid == 0 { // it was reserved before, and a part of it may have come back
		settled, err := g.charged(ledger.Held, op.Refers, ledger.Settle)
		own, err2 := g.charged(op.Account, op.Refers, ledger.Reserve)
		if err := errors.Join(err, err2); err != nil {
			return 0, err
		}
		if own != 0 {
			paid = settled
		}
	}
	var back int64
	err = g.session.ask([]question{{g.sql.refunded, []any{op.Account, string(ledger.Refund), op.Refers}, func(into func(...any) error) error {
		return into(&back)
	}}})
	if err != nil {
		return 0, fmt.Errorf("look for earlier refunds: %w", err)
	}
	for i := 0; i < len(g.operations); i += g.sql.operations.columns { // of this group
		if g.operations[i+3] == op.Refers {
			for k := 0; k < len(g.entries); k += g.sql.entries.columns {
				if g.entries[k+1] == g.operations[i] && g.entries[k+2] == op.Account {
					back += g.entries[k+5].(int64)
				}
			}
		}
	}
	return -paid - back, nil
}
