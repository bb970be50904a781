package sms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
)

// DefaultValidity is how long a message is worth sending, where nothing else is
// said.
const DefaultValidity = 24 * time.Hour

// farthest is how far ahead a message can be scheduled. Ours.
const farthest = 366 * 24 * time.Hour

// Shelf gives out ids: n of them, of which it tells the first. No id is given
// out twice.
type Shelf interface {
	MessageIDs(ctx context.Context, n int) (first int64, err error)
}

// Blocks knows who wants no messages of a line.
type Blocks interface {
	Has(line string, recipient persian.Mobile) bool
}

// Wallets tells whether a wallet covers a price. A yes may lag behind: the
// charge itself is decided by the store.
type Wallets interface {
	Covers(ctx context.Context, account string, price rial.Amount) (bool, error)
}

// Wording is an account's template, and what goes for the messages made of it.
type Wording struct {
	Text     Template
	Line     string        // its own, for callers that name none
	Urgent   bool          // it is for one-time codes
	Once     bool          // see Batch
	Validity time.Duration // zero: that of all messages
}

// Terms are an account's: what it pays and how much it may send.
type Terms struct {
	Part   rial.Amount // price of one part
	Cap    rial.Amount // see Batch
	Limits Limits
}

// Desk decides what may be sent, as what, when, and for how much. All fields are
// needed but Validity and Play.
type Desk struct {
	Shelf   Shelf
	Blocks  Blocks
	Wallets Wallets
	Terms   func(*account.Account) Terms
	Wording func(a *account.Account, id string) (Wording, bool)
	// Quiet are the hours in which a line, by its number as the account has it,
	// sends only what is urgent.
	Quiet    func(a *account.Account, line string) Hours
	Validity time.Duration // zero: DefaultValidity
	// Alarm is called for each order that meets a limit; first marks those that
	// are worth telling somebody: one for an account and limit in twelve minutes.
	Alarm func(account string, met Limit, first bool)
	// Play makes an order fail on demand, in sandboxes.
	Play func(context.Context, *Order) error

	recent tally
}

// Send makes a batch of an order. Nothing is stored or charged: that is one
// commit of the caller's. Messages to recipients who want none of the line are
// part of it, as Blocked, and cost nothing.
//
// The faults are Invalid (Missing, Lengths, Past, Range), TooMany, TooLong, Line,
// LineStatus, Template, Credit, Quota, and what Play and the shelf come with. An
// order that is refused has not been counted against the limits.
func (d *Desk) Send(ctx context.Context, o Order) (Batch, error) {
	wording, err := d.word(&o)
	if err != nil {
		return Batch{}, err
	}
	n, err := o.check()
	if err != nil {
		return Batch{}, err
	}
	terms := d.Terms(o.Account)
	b := Batch{
		Account: o.Account.ID, Call: o.Call, At: o.At, Priority: priority(wording, n), Once: wording.Once, Cap: terms.Cap,
		Messages: make([]Message, n),
	}
	if err := fillLines(b.Messages, &o); err != nil {
		return Batch{}, err
	}
	b.Daily = daily(o.Account, b.Messages)
	if err := d.fillTexts(b.Messages, &o, terms.Part); err != nil {
		return Batch{}, err
	}
	if err := d.time(&b, &o, wording.Validity); err != nil {
		return Batch{}, err
	}
	if err := d.admit(ctx, &b, &o, terms.Limits); err != nil {
		return Batch{}, err
	}
	return b, nil
}

// word puts the text that the template makes in the place of the order's texts.
func (d *Desk) word(o *Order) (Wording, error) {
	if o.Template == "" {
		return Wording{}, nil
	}
	w, ok := d.Wording(o.Account, o.Template)
	if !ok {
		return Wording{}, fault.Wrap(fault.Template, errors.New("the account has no such template"))
	}
	values := make(map[string]string, len(o.Parameters))
	for _, p := range o.Parameters {
		if _, twice := values[p.Name]; twice {
			return Wording{}, misfit(errors.New("a parameter is given twice"), fault.Field{Name: p.Name, Rule: fault.Repeated})
		}
		values[p.Name] = p.Value
	}
	text, err := w.Text.Fill(values)
	if m, is := errors.AsType[*Misfit](err); is {
		return Wording{}, misfit(err, m.fields()...)
	}
	o.Texts = []string{text}
	if len(o.Lines) == 0 && w.Line != "" {
		o.Lines = []string{w.Line}
	}
	return w, err
}

func misfit(err error, fields ...fault.Field) error {
	return &fault.Error{Code: fault.Template, Fields: fields, Err: err}
}

// fields has a name that the template lacks as one of the wrong form.
func (m *Misfit) fields() (fields []fault.Field) {
	for _, name := range m.Missing {
		fields = append(fields, fault.Field{Name: name, Rule: fault.Missing})
	}
	for _, name := range m.Long {
		fields = append(fields, fault.Field{Name: name, Rule: fault.Long, Max: MaxValue})
	}
	for _, name := range m.Unknown {
		fields = append(fields, fault.Field{Name: name, Rule: fault.Form})
	}
	return fields
}

func priority(w Wording, n int) Priority {
	switch {
	case w.Urgent:
		return Urgent
	case n > 1:
		return Bulk
	}
	return Normal
}

func fillLines(messages []Message, o *Order) error {
	numbers := make([]string, len(o.Lines))
	for i, spelled := range o.Lines {
		line, ok := o.Account.Line(spelled)
		if !ok {
			return fault.New(fault.Line)
		}
		if line.Suspended {
			return fault.New(fault.LineStatus)
		}
		numbers[i] = line.Number
	}
	for i := range messages {
		messages[i].Line = each(numbers, i)
	}
	return nil
}

// daily are the bounds of those lines that have one.
func daily(a *account.Account, messages []Message) (bounds []Daily) {
	for _, number := range lines(messages) {
		if line, _ := a.Line(number); line.DayLimit > 0 {
			bounds = append(bounds, Daily{Line: number, Messages: line.DayLimit})
		}
	}
	return bounds
}

func (d *Desk) fillTexts(messages []Message, o *Order, part rial.Amount) error {
	for i := range messages {
		m := &messages[i]
		m.Recipient, m.Text = each(o.Recipients, i), each(o.Texts, i)
		if i > 0 && len(o.Texts) == 1 {
			m.Coding, m.Parts = messages[0].Coding, messages[0].Parts
		} else {
			m.Coding, m.Parts = Count(m.Text)
		}
		if m.Parts > MaxParts {
			return &fault.Error{Code: fault.TooLong, Limit: MaxParts}
		}
		m.State, m.StateAt, m.Price = Queued, o.At, part*rial.Amount(m.Parts)
		if d.Blocks.Has(m.Line, m.Recipient) {
			m.State, m.Price = Blocked, 0
		}
	}
	return nil
}

// time sets when the batch is due and when it expires. Its messages go together,
// so that the quiet hours of each line hold for all.
func (d *Desk) time(b *Batch, o *Order, validity time.Duration) error {
	b.Due = o.At
	if !o.Due.IsZero() {
		b.Due = o.Due
		switch {
		case !o.Due.After(o.At):
			return fault.Bad(fault.Field{Name: o.Fields.Due, Rule: fault.Past})
		case o.Due.After(o.At.Add(farthest)):
			return fault.Bad(fault.Field{Name: o.Fields.Due, Rule: fault.Range})
		}
	}
	if b.Priority != Urgent {
		var all []Hours
		for _, number := range lines(b.Messages) {
			all = append(all, d.Quiet(o.Account, number))
		}
		due, ok := loud(b.Due, all)
		if !ok {
			return fault.Wrap(fault.LineStatus, errors.New("the quiet hours of the lines leave no time to send"))
		}
		b.Due = due
	}
	if validity == 0 {
		validity = d.Validity
	}
	if validity == 0 {
		validity = DefaultValidity
	}
	b.Expires = b.Due.Add(validity)
	return nil
}

// lines are the numbers, each once.
func lines(messages []Message) (numbers []string) {
	for i := range messages {
		if !slices.Contains(numbers, messages[i].Line) {
			numbers = append(numbers, messages[i].Line)
		}
	}
	return numbers
}

// admit asks what depends on others than the caller, the limits last, because
// what they count is not given back.
func (d *Desk) admit(ctx context.Context, b *Batch, o *Order, limits Limits) error {
	sent := make([]persian.Mobile, 0, len(b.Messages))
	for _, m := range b.Messages {
		b.Price += m.Price
		if m.State != Blocked {
			sent = append(sent, m.Recipient)
		}
	}
	if d.Play != nil {
		if err := d.Play(ctx, o); err != nil {
			return err
		}
	}
	if b.Price > 0 {
		covered, err := d.Wallets.Covers(ctx, b.Account, b.Price)
		if err != nil {
			return fault.Wrap(fault.Unavailable, fmt.Errorf("look up the wallet: %w", err))
		}
		if !covered {
			return fault.New(fault.Credit)
		}
	}
	first, err := d.Shelf.MessageIDs(ctx, len(b.Messages))
	if err != nil {
		return fault.Wrap(fault.Unavailable, fmt.Errorf("take ids: %w", err))
	}
	b.ID = first
	for i := range b.Messages {
		b.Messages[i].ID = first + int64(i)
	}
	if met, first := d.recent.take(b.At, b.Account, limits, sent); met != "" {
		d.Alarm(b.Account, met, first)
		return fault.Wrap(fault.Quota, fmt.Errorf("the account met its limit by %s", met))
	}
	return nil
}
