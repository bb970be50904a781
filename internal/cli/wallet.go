package cli

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

// wallets are the commands that move money.
type wallets struct {
	Show    walletShow    `cmd:"" help:"Print what an account's wallet holds."`
	Topup   walletTopUp   `cmd:"" help:"Put money that the customer paid into a wallet."`
	Refund  walletRefund  `cmd:"" help:"Give a charge back, or a part of it."`
	Correct walletCorrect `cmd:"" help:"Set a wallet right, with a reason."`
	Check   walletCheck   `cmd:"" help:"Add the whole ledger up; exit status 0 only when it is even."`
}

// ofAccount names an account.
type ofAccount struct {
	Account string `arg:"" help:"Id, user name, or user@domain."`
}

// moving is what the commands that move money have in common.
type moving struct {
	acting
	ofAccount
	ID   string `help:"Name of this movement. Repeating the command with the same one moves nothing twice." placeholder:"ID"`
	JSON bool   `help:"Print one JSON object." name:"json"`
}

// move does the operation and prints what became of the wallet.
func (m moving) move(c *console, op ledger.Operation) (err error) {
	r, err := m.read(c)
	if err != nil {
		return err
	}
	op.Account, err = r.AccountID(c, m.Account)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	s, err := m.attach(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	op.Actor = m.actor()
	if op.ID = m.ID; op.ID == "" {
		op.ID = string(op.Kind) + "-" + rand.Text()
	}
	switch err := s.Operate(c, op); {
	case errors.Is(err, store.ErrDone):
		return fmt.Errorf("%s: %w; nothing was moved now", op.ID, err)
	case err != nil:
		return err
	}
	balance, err := s.Balance(c, op.Account)
	if err != nil {
		return err
	}
	return m.tell(c, op, balance)
}

func (m moving) tell(c *console, op ledger.Operation, balance rial.Amount) (err error) {
	if m.JSON {
		return json.NewEncoder(c.out).Encode(map[string]any{
			"id": op.ID, "account": op.Account, "kind": op.Kind, "amount": op.Amount, "balance": balance, "by": op.Actor,
		})
	}
	_, err = fmt.Fprintf(c.out, "%s: the wallet of %s holds %d rials now\n", op.ID, op.Account, balance)
	return err
}

type walletTopUp struct {
	moving
	Amount string `arg:"" help:"Rials; Persian digits and marks between thousands are fine."`
	Reason string `help:"What it was for, as a receipt's number." placeholder:"TEXT"`
}

func (w walletTopUp) Run(c *console) error {
	amount, err := money(w.Amount)
	if err != nil {
		return err
	}
	return w.move(c, ledger.Operation{Kind: ledger.TopUp, Amount: amount, Reason: w.Reason})
}

type walletRefund struct {
	moving
	Call   string `arg:"" help:"Id of the charged call: its X-Request-Id, as statement and trail have it."`
	Amount string `arg:"" optional:"" help:"Rials; all that is left of the charge without it."`
	Reason string `help:"Why." placeholder:"TEXT" required:""`
}

func (w walletRefund) Run(c *console) error {
	op := ledger.Operation{Kind: ledger.Refund, Refers: w.Call, Reason: w.Reason}
	if w.Amount != "" {
		var err error
		if op.Amount, err = money(w.Amount); err != nil {
			return err
		}
	}
	return w.move(c, op)
}

type walletCorrect struct {
	moving
	Amount string `arg:"" help:"Rials to put into the wallet."`
	Take   bool   `help:"Take them out instead."`
	Reason string `help:"Why." placeholder:"TEXT" required:""`
}

func (w walletCorrect) Run(c *console) error {
	amount, err := money(w.Amount)
	if err != nil {
		return err
	}
	if w.Take {
		amount = -amount
	}
	return w.move(c, ledger.Operation{Kind: ledger.Correction, Amount: amount, Reason: w.Reason})
}

type walletShow struct {
	installation
	ofAccount
	JSON bool `help:"Print one JSON object." name:"json"`
}

func (w walletShow) Run(c *console) (err error) {
	r, err := w.read(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	id, err := r.AccountID(c, w.Account)
	if err != nil {
		return err
	}
	balance, err := r.Balance(c, id)
	if err != nil {
		return err
	}
	if w.JSON {
		return json.NewEncoder(c.out).Encode(map[string]any{"account": id, "balance": balance})
	}
	_, err = fmt.Fprintf(c.out, "%d rials\n", balance)
	return err
}

type walletCheck struct{ installation }

func (w walletCheck) Run(c *console) (err error) {
	r, err := w.read(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	wrong, err := r.Audit(c)
	if err != nil {
		return err
	}
	for _, i := range wrong {
		fmt.Fprintln(c.out, i)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the books are not even: %d account(s)", len(wrong))
	}
	_, err = fmt.Fprintln(c.out, "The books are even: every balance is the sum of its entries, and all balances together are 0.")
	return err
}
