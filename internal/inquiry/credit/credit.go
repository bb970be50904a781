// Package credit owns the start of a credit report: whether a fresh one
// exists, and what a new one costs and where it is paid.
package credit

import (
	"context"
	"time"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry"
	"dargah.dev/dargah/internal/payment"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
)

// Service is the name under which the inquiry is sold, granted and priced.
const Service = "credit"

// Fresh is how long a report is reused without a new payment.
const Fresh = 24 * time.Hour

// Question asks for the report of a person who can be reached at a mobile.
type Question struct {
	NationalCode persian.NationalCode
	Mobile       persian.Mobile
}

// Field names the question's values for scenarios; cellphone is the word of
// the providers, mobile and recipient ours.
func (q Question) Field(name string) (string, bool) {
	switch name {
	case "nationalCode":
		return q.NationalCode.Digits(), true
	case "mobile", "cellphone":
		return q.Mobile.Local(), true
	default:
		return "", false
	}
}

// Report is one report that was made.
type Report struct {
	Source int // the number of the bureau that made it
	Score  int
	Grade  string
	Made   time.Time
}

// Sources give the reports of a person, newest first; none is no fault.
type Sources []inquiry.Source[Question, []Report]

// Answer is what is known before anybody pays.
type Answer struct {
	HasReport bool
	Fresh     bool // the newest report is younger than 24 hours: nothing to pay
	Source    int  // of the newest report; 0 without one
	Price     rial.Amount
	PayURL    string // empty when there is nothing to pay
}

// Desk answers the question.
type Desk struct {
	Sources Sources
	Price   func() rial.Amount
	Cashier payment.Cashier
	Now     func() time.Time
}

// Ask tells the state of the person's report and, unless it is fresh, opens a
// payment order for a new one on behalf of account. Nothing is charged.
func (d *Desk) Ask(ctx context.Context, account string, q Question) (Answer, string, error) {
	reports, source, err := inquiry.First(ctx, d.Sources, q)
	if err != nil {
		return Answer{}, source, err
	}
	var a Answer
	if len(reports) > 0 {
		newest := reports[0]
		a.HasReport, a.Source = true, newest.Source
		a.Fresh = d.Now().Sub(newest.Made) < Fresh
	}
	if a.Fresh {
		return a, source, nil
	}
	a.Price = d.Price()
	a.PayURL, err = d.Cashier.Open(payment.Order{
		Account: account, Service: Service, Amount: a.Price,
		NationalCode: q.NationalCode.Digits(), Mobile: q.Mobile.Local(),
	})
	if err != nil {
		return Answer{}, source, fault.Wrap(fault.Internal, err)
	}
	return a, source, nil
}
