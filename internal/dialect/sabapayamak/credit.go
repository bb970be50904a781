package sabapayamak

import (
	"context"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
)

// movement is a row of the lists of credit; the names are the page's.
type movement struct {
	CreditType   string
	Amount       rial.Amount // below 0 where credit was taken
	CreditRemain rial.Amount // after it
	Descriptions string
	InsertDate   string
}

// kindOf is a movement's type and description. The page shows the first type
// alone; the others, and all descriptions, are ours.
func kindOf(e *ledger.Entry) (kind, description string) {
	switch e.Kind {
	case ledger.Charge:
		if e.Messages {
			return "ارسال", "هزینه ارسال پیامک"
		}
		return "سرویس", "هزینه استفاده از سرویس"
	case ledger.Reserve:
		return "سرویس", "هزینه استفاده از سرویس"
	case ledger.Opening, ledger.TopUp:
		return "شارژ", "افزایش اعتبار"
	case ledger.Refund, ledger.Release:
		return "برگشت وجه", "برگشت هزینه به اعتبار"
	default:
		return "اصلاح", "اصلاح اعتبار"
	}
}

// wallet is a question about credit: for what is left, or for rows.
type wallet struct {
	ledger.Query      // of rows where it has a limit
	nothing      bool // no movement can be of the kind
}

// purse is the answer.
type purse struct {
	left rial.Amount
	rows []ledger.Entry
}

// credit makes the steps of a route that tells of a wallet.
func credit(deps Deps, out encoder, open func(*dialect.Request, *wallet) error) dialect.Steps {
	return dialect.Sale[wallet, purse]{
		Open: func(r *dialect.Request, p *admission.Pass) (wallet, error) {
			q := wallet{Query: ledger.Query{Account: p.Account.ID}}
			err := open(r, &q)
			return q, err
		},
		Ask: func(ctx context.Context, _ *admission.Pass, q wallet) (a purse, source string, err error) {
			switch {
			case q.Limit == 0:
				a.left, err = deps.Balance(ctx, q.Account)
			case !q.nothing:
				a.rows, err = deps.Entries(ctx, q.Query)
			}
			return a, "", err
		},
		Encode: out.credit,
	}.Steps()
}

// whole asks for what is left or, with dates, for rows: the page has a path of
// its own for these, the libraries do not.
func whole(r *dialect.Request, q *wallet) error {
	p, err := decodePeriod(r)
	if err == nil && !p.isZero() {
		q.From, q.Until, q.Limit = p.from, p.until, most
	}
	return err
}

func rowsOf(r *dialect.Request, q *wallet) error {
	err := whole(r, q)
	q.Limit = most
	return err
}

// last asks for so many rows of the kinds.
func last(messages bool, kinds ...ledger.Kind) func(*dialect.Request, *wallet) error {
	return func(r *dialect.Request, q *wallet) (err error) {
		q.Kinds, q.Messages = kinds, messages
		q.Limit, err = decodeCount(r)
		return err
	}
}

// lastIncoming asks for what incoming messages cost, which is nothing.
func lastIncoming(r *dialect.Request, q *wallet) (err error) {
	q.nothing = true
	q.Limit, err = decodeCount(r)
	return err
}

func (e encoder) credit(_ *dialect.Request, q wallet, a purse) (dialect.Reply, error) {
	if q.Limit == 0 {
		return e.succeed(a.left)
	}
	rows := make([]movement, len(a.rows))
	for i := range a.rows {
		entry := &a.rows[i]
		kind, description := kindOf(entry)
		rows[i] = movement{kind, entry.Amount, entry.Balance, description, moment(entry.At)}
	}
	return e.succeed(rows)
}
