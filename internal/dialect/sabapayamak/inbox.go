package sabapayamak

import (
	"context"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/sms"
)

// received is a row of the lists of incoming messages; the names are the page's.
type received struct {
	Body         string
	Sender       string
	Receiver     string
	MessageCount int // parts
	InsertDate   string
	IsRead       bool
}

// inbox makes the steps of a route that gives incoming messages. Those that are
// asked for as unread are read from then on: giving them and marking them is one
// commit (README, "Received messages").
func inbox(deps Deps, out encoder, open func(*dialect.Request, *sms.Inbox) error) dialect.Steps {
	return dialect.Sale[sms.Inbox, handed]{
		Open: func(r *dialect.Request, p *admission.Pass) (sms.Inbox, error) {
			q := sms.Inbox{Account: p.Account.ID, Limit: most}
			err := open(r, &q)
			return q, err
		},
		Ask: func(ctx context.Context, _ *admission.Pass, q sms.Inbox) (handed, string, error) {
			found, err := deps.Incoming(ctx, q)
			return handed{found, newRead(q, found)}, "", err
		},
		Encode: out.received,
		Effect: func(a handed) dialect.Effect { return dialect.Effect{Read: a.read} },
	}.Steps()
}

// handed is what is given, and what that marks as read.
type handed struct {
	messages []sms.Incoming
	read     *sms.Read // nil for nothing
}

func newRead(q sms.Inbox, found []sms.Incoming) *sms.Read {
	if !q.Unread || len(found) == 0 {
		return nil
	}
	read := &sms.Read{Account: q.Account, Incoming: make([]int64, len(found))}
	for i := range found {
		read.Incoming[i] = found[i].ID
	}
	return read
}

func (e encoder) received(_ *dialect.Request, _ sms.Inbox, a handed) (dialect.Reply, error) {
	rows := make([]received, len(a.messages))
	for i, m := range a.messages {
		rows[i] = received{
			Body: m.Text, Sender: m.Sender, Receiver: m.Line, MessageCount: m.Parts, InsertDate: moment(m.At), IsRead: m.Read,
		}
	}
	return e.succeed(rows)
}

// unread narrows a question to what was not read yet.
func unread(open func(*dialect.Request, *sms.Inbox) error) func(*dialect.Request, *sms.Inbox) error {
	return func(r *dialect.Request, q *sms.Inbox) error {
		q.Unread = true
		return open(r, q)
	}
}

func inPeriod(r *dialect.Request, q *sms.Inbox) error {
	p, err := decodePeriod(r)
	q.From, q.Until = p.from, p.until
	return err
}

func whenever(*dialect.Request, *sms.Inbox) error { return nil }

func bySender(r *dialect.Request, q *sms.Inbox) error {
	q.Sender = r.PathValue(fieldNumber)
	return nil
}

// bySenderUnread serves a path whose last part can be one word only: a mux does
// not take that word there beside the path of a line's number.
func bySenderUnread(r *dialect.Request, q *sms.Inbox) error {
	if r.PathValue("what") != "unread" {
		return fault.New(fault.NoRoute)
	}
	return bySender(r, q)
}

func byLine(r *dialect.Request, q *sms.Inbox) error {
	q.Line = r.PathValue("vnumber")
	return nil
}
