package sabapayamak

import (
	"context"
	"strings"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
)

// sent is a row of the lists of messages: what one call sent. The names are the
// page's.
type sent struct {
	MessageID    int64
	UserID       int64
	Body         string
	Sender       string
	MessagePage  int // parts
	Credit       rial.Amount
	InsertDate   string
	IsUnicode    bool
	MessageCount int // recipients
	Status       int
	StatusDesc   string
	Deliveries   []delivery
}

// delivery is one recipient of a message; the names are the page's.
type delivery struct {
	RecordID     int64
	MessageID    int64
	SendDate     string
	Number       string
	DeliveryFlag int
	DeliveryDesc string
}

// worded is a number and what it means.
type worded struct {
	number int
	text   string
}

// What has become of a message as a whole. The page shows 1 alone; the others
// are ours.
var (
	inQueue   = worded{0, "در صف ارسال"}
	isSent    = worded{1, "ارسال شده"}
	withdrawn = worded{2, "لغو شده"}
	notSent   = worded{3, "ارسال نشده"}
)

// flags are what has become of a message to one recipient. The page shows 0
// alone; the others are those of the provider's upstream (README, "Ours").
var flags = map[sms.State]worded{
	sms.Queued:      {0, "ارسال شده"},
	sms.Submitted:   {8, "رسیده به مخابرات"},
	sms.Unknown:     {8, "رسیده به مخابرات"},
	sms.Delivered:   {1, "رسیده به گوشی"},
	sms.Undelivered: {2, "نرسیده به گوشی"},
	sms.Expired:     {2, "نرسیده به گوشی"},
	sms.Rejected:    {2, "نرسیده به گوشی"},
	sms.Failed:      {16, "نرسیده به مخابرات"},
	sms.Cancelled:   {16, "نرسیده به مخابرات"},
	sms.Blocked:     {16, "نرسیده به مخابرات"},
}

// newSent takes the text of the first message for all: this dialect sends no
// others (README, "Messages").
func newSent(owner *account.Account, b *sms.Batch) sent {
	first := &b.Messages[0]
	status := statusOf(b)
	row := sent{
		MessageID: b.ID, UserID: owner.Number, Body: first.Text, Sender: first.Line, MessagePage: first.Parts,
		InsertDate: moment(b.At), IsUnicode: first.Coding == sms.UCS2, MessageCount: len(b.Messages),
		Status: status.number, StatusDesc: status.text, Deliveries: deliveries(b),
	}
	for i := range b.Messages {
		if m := &b.Messages[i]; !m.State.Free() {
			row.Credit += m.Price
		}
	}
	return row
}

func deliveries(b *sms.Batch) []delivery {
	list := make([]delivery, len(b.Messages))
	for i := range b.Messages {
		m := &b.Messages[i]
		at, flag := m.SentAt, flags[m.State]
		if at.IsZero() {
			at = b.At
		}
		list[i] = delivery{
			RecordID: m.ID, MessageID: b.ID, SendDate: moment(at), Number: bare(m.Recipient),
			DeliveryFlag: flag.number, DeliveryDesc: flag.text,
		}
	}
	return list
}

// bare is a number as the pages print it, 9 and nine digits; nothing where it
// was erased.
func bare(m persian.Mobile) string { return strings.TrimPrefix(m.Local(), "0") }

// statusOf is what the messages have in common.
func statusOf(b *sms.Batch) worded {
	var queued, cancelled, free int
	for i := range b.Messages {
		switch state := b.Messages[i].State; {
		case state == sms.Queued:
			queued++
		case state == sms.Cancelled:
			cancelled++
			free++
		case state.Free():
			free++
		}
	}
	switch n := len(b.Messages); {
	case cancelled > 0 && free == n:
		return withdrawn
	case free == n:
		return notSent
	case queued+free == n:
		return inQueue
	}
	return isSent
}

// listing is a question about what was sent, and whose it is.
type listing struct {
	owner *account.Account
	sms.Sent
}

// list makes the steps of a route that finds messages and writes them.
func list(deps Deps, open func(*dialect.Request, *sms.Sent) error,
	encode func(owner *account.Account, found []sms.Batch) (dialect.Reply, error),
) dialect.Steps {
	return dialect.Sale[listing, []sms.Batch]{
		Open: func(r *dialect.Request, p *admission.Pass) (listing, error) {
			q := listing{owner: p.Account, Sent: sms.Sent{Account: p.Account.ID, Limit: batches}}
			err := open(r, &q.Sent)
			return q, err
		},
		Ask: func(ctx context.Context, _ *admission.Pass, q listing) ([]sms.Batch, string, error) {
			found, err := deps.Sent(ctx, q.Sent)
			if err == nil && q.Batch != 0 && len(found) == 0 {
				err = fault.New(fault.NotFound)
			}
			return found, "", err
		},
		Encode: func(_ *dialect.Request, q listing, found []sms.Batch) (dialect.Reply, error) {
			return encode(q.owner, found)
		},
	}.Steps()
}

func byPeriod(r *dialect.Request, q *sms.Sent) error {
	p, err := decodePeriod(r)
	q.From, q.Until = p.from, p.until
	return err
}

func byID(r *dialect.Request, q *sms.Sent) (err error) {
	q.Batch, err = decodeID(r)
	return err
}

func byRecipient(r *dialect.Request, q *sms.Sent) error {
	mobile, err := persian.ParseMobile(r.PathValue(fieldNumber))
	if err != nil {
		return fault.Bad(fault.Field{Name: fieldNumber, Rule: fault.Form})
	}
	q.Recipient = mobile
	return nil
}

func (e encoder) messages(owner *account.Account, found []sms.Batch) (dialect.Reply, error) {
	rows := make([]sent, len(found))
	for i := range found {
		rows[i] = newSent(owner, &found[i])
	}
	return e.succeed(rows)
}

func (e encoder) message(owner *account.Account, found []sms.Batch) (dialect.Reply, error) {
	return e.succeed(newSent(owner, &found[0]))
}

func (e encoder) deliveries(_ *account.Account, found []sms.Batch) (dialect.Reply, error) {
	return e.succeed(deliveries(&found[0]))
}
