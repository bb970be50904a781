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
	"dargah.dev/dargah/internal/strict"
)

// The names that callers know the values of sending by.
const (
	fieldText    = "Text"
	fieldNumbers = "Numbers"
	fieldFrom    = "From"
	fieldTo      = "To"
)

// message is one text to be sent to several.
type message struct {
	text string
	to   []recipient
}

// recipient is a number as the caller wrote it. One that is none is told in the
// answer and stops no other.
type recipient struct {
	given  string
	mobile persian.Mobile // zero where given is no mobile of this country
}

func newRecipient(given string) recipient {
	mobile, err := persian.ParseMobile(given)
	if err != nil {
		return recipient{given: given}
	}
	return recipient{given, mobile}
}

// decodeSend reads the body of a sending by token.
func decodeSend(r *dialect.Request) (message, error) {
	body, err := r.JSON(true)
	if err != nil {
		return message{}, err
	}
	f := reader{body: body}
	m := message{text: f.digits(fieldText, asSent), to: f.recipients(fieldNumbers)}
	return m.check(fieldText, fieldNumbers, f.bad)
}

// recipients reads a list of numbers, each a string or a JSON number.
func (f *reader) recipients(name string) (to []recipient) {
	value := f.body.Get(name)
	list, isList := value.Array()
	if !isList {
		if !isNone(value) { // for which check has the word
			f.refuse(name, fault.Type)
		}
		return nil
	}
	for _, v := range list {
		given, ok := digits(v)
		if !ok {
			f.refuse(name, fault.Type)
			return nil
		}
		to = append(to, newRecipient(given))
	}
	return to
}

// digits is a string's content or a number's literal: loosely typed languages
// send either.
func digits(v strict.Value) (string, bool) {
	if text, isText := v.String(); isText {
		return text, true
	}
	return v.Number()
}

func split(list string) (to []recipient) {
	if strings.TrimSpace(list) == "" {
		return nil
	}
	for _, one := range strings.Split(list, ",") {
		to = append(to, newRecipient(strings.TrimSpace(one)))
	}
	return to
}

// check refuses what says nothing or goes to nobody, under the caller's names.
func (m message) check(text, to string, bad []fault.Field) (message, error) {
	if strings.TrimSpace(m.text) == "" && !named(bad, text) {
		bad = append(bad, fault.Field{Name: text, Rule: fault.Missing})
	}
	if len(m.to) == 0 && !named(bad, to) {
		bad = append(bad, fault.Field{Name: to, Rule: fault.Missing})
	}
	switch {
	case len(m.to) > sms.MaxMessages:
		return message{}, &fault.Error{Code: fault.TooMany, Limit: sms.MaxMessages}
	case len(bad) > 0:
		return message{}, fault.Bad(bad...)
	}
	return m, nil
}

func named(fields []fault.Field, name string) bool {
	for _, f := range fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

// query is a sending, or a question about credit, whose address says who asks.
type query struct {
	username, password, line string
	message
}

// queryNames are the names that a service knows its values by; empty where it
// has no such value. Clients use any letter case.
type queryNames struct{ username, password, from, to, text string }

var ofMessages = queryNames{"UserName", "Password", fieldFrom, fieldTo, fieldText}

// decodeQuery reads an address. A name that comes twice is malformed: whoever
// stands between may have read the other one.
func decodeQuery(r *dialect.Request, names queryNames) (query, error) {
	fields, err := r.Query()
	if err != nil {
		return query{}, err
	}
	if _, repeated := fields.Repeated(); repeated {
		return query{}, fault.New(fault.Malformed)
	}
	var bad []fault.Field
	get := func(name string, clean func(string) string) string {
		value, _ := fields.Get(name)
		if value = clean(value); value == "" {
			bad = append(bad, fault.Field{Name: name, Rule: fault.Missing})
		}
		return value
	}
	q := query{username: get(names.username, persian.Clean), password: get(names.password, asSent)}
	if names.from != "" {
		q.line = get(names.from, persian.Compact)
	}
	if names.to != "" {
		q.to, q.text = split(get(names.to, asSent)), get(names.text, asSent)
		q.message, err = q.check(names.text, names.to, bad)
		return q, err
	}
	if len(bad) > 0 {
		return query{}, fault.Bad(bad...)
	}
	return q, nil
}

// whoAsks reads who asks from the address.
func whoAsks(deps Deps, names queryNames) func(*dialect.Request) (admission.Credential, error) {
	return func(r *dialect.Request) (admission.Credential, error) {
		q, err := decodeQuery(r, names)
		if err != nil {
			return nil, err
		}
		return admission.Password{
			Domain: deps.Domain(r.Host), Username: q.username, Password: q.password, Elsewhere: true, Line: q.line,
		}, nil
	}
}

// mayAsk refuses accounts that have not chosen to show their password in
// addresses. It is asked last, so that only the rate's worth of refusals is on
// record.
func mayAsk(a *account.Account) error {
	if !a.QueryLogin {
		return fault.New(fault.Service)
	}
	return nil
}

// sending is a message and the order that is made of those of its recipients
// who can be sent to.
type sending struct {
	message
	order sms.Order
}

func newSending(r *dialect.Request, p *admission.Pass, m message, fields sms.Fields) sending {
	s := sending{message: m, order: sms.Order{
		Account: p.Account, Call: r.ID, At: r.At, Lines: []string{p.Line.Number}, Texts: []string{m.text}, Fields: fields,
	}}
	for _, to := range m.to {
		if !to.mobile.IsZero() {
			s.order.Recipients = append(s.order.Recipients, to.mobile)
		}
	}
	return s
}

// openSend is for tokens: the line is the token's.
func openSend(r *dialect.Request, p *admission.Pass) (sending, error) {
	m, err := decodeSend(r)
	if err != nil {
		return sending{}, err
	}
	return newSending(r, p, m, sms.Fields{Lines: "VirtualNumber", Recipients: fieldNumbers, Texts: fieldText}), nil
}

// openQuery is for addresses that say who sends.
func openQuery(names queryNames) func(*dialect.Request, *admission.Pass) (sending, error) {
	return func(r *dialect.Request, p *admission.Pass) (sending, error) {
		if err := mayAsk(p.Account); err != nil {
			return sending{}, err
		}
		q, err := decodeQuery(r, names)
		if err != nil {
			return sending{}, err
		}
		return newSending(r, p, q.message, sms.Fields{Lines: names.from, Recipients: names.to, Texts: names.text}), nil
	}
}

// sell makes a route's steps of how it reads and writes a sending. A call all of
// whose recipients are none asks the desk nothing, and costs nothing.
func sell(deps Deps, open func(*dialect.Request, *admission.Pass) (sending, error),
	encode func(*dialect.Request, sending, *sms.Batch) (dialect.Reply, error),
) dialect.Steps {
	return dialect.Sale[sending, *sms.Batch]{
		Open: open,
		Ask: func(ctx context.Context, _ *admission.Pass, q sending) (*sms.Batch, string, error) {
			if len(q.order.Recipients) == 0 {
				return nil, "", nil
			}
			batch, err := deps.Send(ctx, q.order)
			return &batch, "", err
		},
		Encode: encode,
		Price: func(b *sms.Batch) rial.Amount {
			if b == nil {
				return 0
			}
			return b.Price
		},
		Effect: func(b *sms.Batch) dialect.Effect { return dialect.Effect{Batch: b} },
	}.Steps()
}

// result is the data of a sending; the names are those of the provider's
// library.
type result struct {
	ID            int64
	MessageStatus int
	Message       string
	Credit        rial.Amount // what it costs
	Detail        []detail
}

// detail is what became of one recipient.
type detail struct {
	Status  int
	Message string
	Number  string // as the caller wrote it
	RecID   int64  // 0 for one who gets nothing
}

func (e encoder) result(_ *dialect.Request, q sending, b *sms.Batch) (dialect.Reply, error) {
	out := result{MessageStatus: codeOK, Detail: details(q.to, b)}
	if b != nil {
		out.ID, out.Credit = b.ID, b.Price
	}
	if !sentAny(out.Detail) {
		out.MessageStatus = out.Detail[0].Status
	}
	out.Message = texts[out.MessageStatus]
	return e.succeed(out)
}

func sentAny(list []detail) bool {
	for _, d := range list {
		if d.Status == codeOK {
			return true
		}
	}
	return false
}

// details tells of all recipients, in the caller's order; the batch has those
// who are mobiles, in the same one.
func details(to []recipient, b *sms.Batch) []detail {
	list := make([]detail, len(to))
	next := 0
	for i, r := range to {
		d := detail{Status: codeRecipient, Number: r.given}
		if !r.mobile.IsZero() {
			m := &b.Messages[next]
			next++
			d.Status = codeBlocked
			if m.State != sms.Blocked {
				d.Status, d.RecID = codeOK, m.ID
			}
		}
		d.Message = texts[d.Status]
		list[i] = d
	}
	return list
}
