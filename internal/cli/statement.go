package cli

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"text/tabwriter"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

// days are a part of time, in days of Tehran.
type days struct {
	From string `help:"First day, Jalali (1405/08/30) or ISO (2026-11-21), in Tehran." placeholder:"DATE"`
	To   string `help:"Last day, likewise." placeholder:"DATE"`
}

func (d days) part() (part store.Part, err error) {
	if d.From != "" {
		if part.From, err = day("--from", d.From, 0); err != nil {
			return part, err
		}
	}
	if d.To != "" {
		if part.To, err = day("--to", d.To, 1); err != nil {
			return part, err
		}
	}
	if d.From != "" && d.To != "" && !part.From.Before(part.To) {
		return part, errors.New("--from is after --to")
	}
	return part, nil
}

// accountStatement prints every movement of a wallet.
type accountStatement struct {
	installation
	ofAccount
	days
	Format string `help:"${enum}." enum:"table,jsonl,csv" default:"table"`
}

func (a accountStatement) Run(c *console) (err error) {
	part, err := a.part()
	if err != nil {
		return err
	}
	r, err := a.read(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if part.Account, err = r.AccountID(c, a.Account); err != nil {
		return err
	}
	out := bufio.NewWriterSize(c.out, 1<<16)
	err = r.Statement(c, part, func(before, after rial.Amount, lines iter.Seq2[*store.StatementLine, error]) error {
		to := newStatement(a.Format, out)
		if err := to.open(before); err != nil {
			return err
		}
		sum := before
		for l, err := range lines {
			if err != nil {
				return err
			}
			sum += l.Amount
			if err := to.line(l); err != nil {
				return err
			}
		}
		if sum != after {
			return fmt.Errorf("the entries sum to %d and the balance is %d: say `dargah wallet check`", sum, after)
		}
		return to.close(after)
	})
	return errors.Join(err, out.Flush())
}

// statement is a form in which a statement is printed.
type statement interface {
	open(before rial.Amount) error
	line(*store.StatementLine) error
	close(after rial.Amount) error
}

func newStatement(format string, w io.Writer) statement {
	switch format {
	case "csv":
		return csvStatement{csv.NewWriter(w)}
	case "jsonl":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return jsonStatement{e}
	default:
		return tableStatement{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	}
}

type tableStatement struct{ *tabwriter.Writer }

func (t tableStatement) open(before rial.Amount) error {
	_, err := fmt.Fprintf(t, "time (Tehran)\tkind\tamount\tbalance\tcall\tby\treason\n\tbrought forward\t\t%d\t\t\t\n", before)
	return err
}

func (t tableStatement) line(l *store.StatementLine) error {
	_, err := fmt.Fprintf(t, "%s\t%s\t%+d\t%d\t%s\t%s\t%s\n", clock(l.At), l.Kind, l.Amount, l.Balance, l.Call, l.Actor, note(l))
	return err
}

func (t tableStatement) close(after rial.Amount) error {
	_, err := fmt.Fprintf(t, "\tcarried forward\t\t%d\t\t\t\n", after)
	return errors.Join(err, t.Flush())
}

// clock is a moment in Tehran, in the Jalali calendar.
func clock(t time.Time) string {
	date := persian.DateOf(t)
	return date.String() + " " + t.In(date.Time().Location()).Format("15:04:05")
}

// note says why, beyond the kind.
func note(l *store.StatementLine) string {
	switch {
	case l.Kind == ledger.Reserve && l.Settled > 0:
		return fmt.Sprintf("settled %d", l.Settled)
	case l.Refers != "" && l.Reason != "":
		return l.Reason + " (" + l.Refers + ")"
	default:
		return l.Reason
	}
}

type csvStatement struct{ *csv.Writer }

func (s csvStatement) open(rial.Amount) error {
	return s.Write([]string{"seq", "time", "kind", "amount", "balance", "settled", "call", "by", "reason", "refers"})
}

func (s csvStatement) line(l *store.StatementLine) error {
	row := []string{
		strconv.FormatInt(l.Seq, 10), l.At.Format(time.RFC3339Nano), string(l.Kind), l.Amount.String(), l.Balance.String(),
		l.Settled.String(), audit.Cell(l.Call), audit.Cell(l.Actor), audit.Cell(l.Reason), audit.Cell(l.Refers),
	}
	return s.Write(row)
}

func (s csvStatement) close(rial.Amount) error {
	s.Flush()
	return s.Error()
}

type jsonStatement struct{ *json.Encoder }

// statementJSON is a line of the statement for programs.
type statementJSON struct {
	Seq     int64       `json:"seq"`
	Time    string      `json:"time"`
	Kind    ledger.Kind `json:"kind"`
	Amount  rial.Amount `json:"amount"`
	Balance rial.Amount `json:"balance"`
	Settled rial.Amount `json:"settled,omitempty"`
	Call    string      `json:"call"`
	By      string      `json:"by,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Refers  string      `json:"refers,omitempty"`
}

func (jsonStatement) open(rial.Amount) error  { return nil }
func (jsonStatement) close(rial.Amount) error { return nil }

func (s jsonStatement) line(l *store.StatementLine) error {
	return s.Encode(statementJSON{
		l.Seq, l.At.Format(time.RFC3339Nano), l.Kind, l.Amount, l.Balance, l.Settled, l.Call, l.Actor, l.Reason, l.Refers,
	})
}
