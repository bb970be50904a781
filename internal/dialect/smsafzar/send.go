package smsafzar

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/strict"
)

// sell makes the steps of a method that sends, of how its order is read.
func sell(deps Deps, read func(*dialect.Request) (sms.Order, error)) dialect.Steps {
	return dialect.Sale[sms.Order, *sms.Batch]{
		Open: func(r *dialect.Request, p *admission.Pass) (sms.Order, error) {
			o, err := read(r)
			o.Account, o.Call, o.At = p.Account, r.ID, r.At
			return o, err
		},
		Ask: func(ctx context.Context, _ *admission.Pass, o sms.Order) (*sms.Batch, string, error) {
			b, err := deps.Send(ctx, o)
			return &b, "", err
		},
		Encode: func(_ *dialect.Request, _ sms.Order, b *sms.Batch) (dialect.Reply, error) {
			return encodeBatch(deps.Names, b)
		},
		Price:  func(b *sms.Batch) rial.Amount { return b.Price },
		Effect: func(b *sms.Batch) dialect.Effect { return dialect.Effect{Batch: b} },
	}.Steps()
}

// The members of the three bodies are what complaints name, in the request's
// spelling: on the one page of these methods whose complaint can be read it is
// so, other than on the page of auth/token.
const (
	fieldSender     = "senderNumber"
	fieldRecipient  = "recipientNumber"
	fieldContent    = "content"
	fieldSenders    = "senderNumbers"
	fieldRecipients = "recipientNumbers"
	fieldContents   = "contents"
	fieldTemplate   = "templateId"
	fieldParameters = "parameters"
	fieldDue        = "sendTimestamp"
)

// decodeSend reads messages/send: one text to one number.
func decodeSend(r *dialect.Request) (sms.Order, error) {
	f, err := readBody(r)
	if err != nil {
		return sms.Order{}, err
	}
	o := sms.Order{
		Lines:      []string{f.line(f.text(fieldSender, fieldSender, 0, asSent), fieldSender)},
		Recipients: []persian.Mobile{f.mobile(f.text(fieldRecipient, fieldRecipient, 0, asSent), fieldRecipient)},
		Texts:      []string{f.content(f.text(fieldContent, fieldContent, 0, asSent), fieldContent)},
		Due:        f.moment(fieldDue, r.At),
		Fields:     sms.Fields{Lines: fieldSender, Recipients: fieldRecipient, Texts: fieldContent, Due: fieldDue},
	}
	return o, f.fault()
}

// decodeBulk reads messages/send/bulk. A list of one value is for all messages;
// lists of several are paired.
func decodeBulk(r *dialect.Request) (sms.Order, error) {
	f, err := readBody(r)
	if err != nil {
		return sms.Order{}, err
	}
	o := sms.Order{Fields: sms.Fields{Lines: fieldSenders, Recipients: fieldRecipients, Texts: fieldContents, Due: fieldDue}}
	f.texts(fieldSenders, func(text, field string) { o.Lines = append(o.Lines, f.line(text, field)) })
	f.texts(fieldRecipients, func(text, field string) { o.Recipients = append(o.Recipients, f.mobile(text, field)) })
	f.texts(fieldContents, func(text, field string) { o.Texts = append(o.Texts, f.content(text, field)) })
	o.Due = f.moment(fieldDue, r.At)
	return o, f.fault()
}

// decodeTemplate reads messages/send/template. Without senderNumber the
// template's own line sends, if it has one.
func decodeTemplate(r *dialect.Request) (sms.Order, error) {
	f, err := readBody(r)
	if err != nil {
		return sms.Order{}, err
	}
	o := sms.Order{Fields: sms.Fields{Lines: fieldSender, Recipients: fieldRecipient, Texts: fieldTemplate, Due: fieldDue}}
	if line := f.text(fieldSender, fieldSender, 0, persian.Compact); line != "" {
		o.Lines = []string{line}
	}
	o.Recipients = []persian.Mobile{f.mobile(f.text(fieldRecipient, fieldRecipient, 0, asSent), fieldRecipient)}
	o.Template = f.text(fieldTemplate, fieldTemplate, 1, persian.Clean)
	parameters := f.body.Get(fieldParameters)
	if list, isList := parameters.Array(); given(parameters) && (!isList || len(list) > 0) {
		f.list(fieldParameters, func(value strict.Value, field string) {
			o.Parameters = append(o.Parameters, f.parameter(value, field))
		})
	}
	o.Due = f.moment(fieldDue, r.At)
	return o, f.fault()
}

// parameter reads one of a template's parameters, whose value may be empty.
func (f *reader) parameter(value strict.Value, field string) sms.Parameter {
	object, isObject := value.Object()
	if !isObject {
		f.wrong(field, fault.Form)
		return sms.Parameter{}
	}
	p := sms.Parameter{Name: f.textOf(object.Get("name"), field+".name", 1, persian.Clean)}
	inner := object.Get("value")
	if !given(inner) {
		f.wrong(field+".value", fault.Missing)
		return p
	}
	if p.Value = f.textOf(inner, field+".value", 0, asSent); utf8.RuneCountInString(p.Value) > sms.MaxValue {
		f.complain(fault.Field{Name: field + ".value", Rule: fault.Long, Max: sms.MaxValue})
	}
	return p
}

// The names in an address, in the page's spelling as far as it can be read; any
// letter case is taken.
const (
	inKey       = "ApiKey"
	inUsername  = "UserName"
	inPassword  = "Password"
	inDomain    = "Domain"
	inSender    = "SenderNumber"
	inRecipient = "RecipientNumber"
	inContent   = "Content"
	inDue       = "SendTimestamp"
)

// address is the reader of an address's query.
type address struct {
	*reader
	fields strict.Fields
}

func readAddress(r *dialect.Request) (address, error) {
	fields, err := r.Query()
	if _, twice := fields.Repeated(); err == nil && twice {
		err = fault.Wrap(fault.Malformed, errors.New("the address has a name twice"))
	}
	return address{&reader{}, fields}, err
}

func (a address) get(name string) string {
	value, _ := a.fields.Get(name)
	return value
}

// whoIsInAddress reads who sends through an address: an API key, or what
// auth/token takes.
func whoIsInAddress(r *dialect.Request) (admission.Credential, error) {
	a, err := readAddress(r)
	if err != nil {
		return nil, err
	}
	if key := a.get(inKey); key != "" {
		return admission.Key{Secret: key}, nil
	}
	shown := admission.Password{
		Username: a.long(persian.Clean(a.get(inUsername)), inUsername, minUsername),
		Password: a.long(a.get(inPassword), inPassword, minPassword),
		Domain:   a.long(persian.Clean(a.get(inDomain)), inDomain, 1),
	}
	return shown, a.fault()
}

// decodeAddress reads messages/send/url: what messages/send has in its body.
func decodeAddress(r *dialect.Request) (sms.Order, error) {
	a, err := readAddress(r)
	if err != nil {
		return sms.Order{}, err
	}
	o := sms.Order{
		Lines:      []string{a.line(a.get(inSender), inSender)},
		Recipients: []persian.Mobile{a.mobile(a.get(inRecipient), inRecipient)},
		Texts:      []string{a.content(a.get(inContent), inContent)},
		Due:        a.moment(inDue, r.At),
		Fields:     sms.Fields{Lines: inSender, Recipients: inRecipient, Texts: inContent, Due: inDue},
	}
	return o, a.fault()
}

// moment is that of a body, whose numbers cannot be Persian.
func (a address) moment(name string, now time.Time) time.Time {
	text := persian.Clean(a.get(name)) // which keeps a minus
	if text == "" {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		a.wrong(name, fault.Type)
		return time.Time{}
	}
	return a.due(seconds, name, now)
}

// sellByAddress is sell for accounts that have chosen to show their secrets in
// addresses. It is asked last, so that only the rate's worth of refusals is on
// record.
func sellByAddress(deps Deps) dialect.Steps {
	steps := sell(deps, decodeAddress)
	open := steps.Open
	steps.Open = func(r *dialect.Request, p *admission.Pass) (any, error) {
		if !p.Account.QueryLogin {
			return nil, fault.New(fault.Operation)
		}
		return open(r, p)
	}
	return steps
}

// cancel makes the steps of messages/send/scheduled. Whether there is such a
// batch, and whether it can still be stopped, is decided by the commit.
func cancel(deps Deps) dialect.Steps {
	return dialect.Sale[sms.Cancel, sms.Cancel]{
		Open: func(r *dialect.Request, p *admission.Pass) (sms.Cancel, error) {
			id, err := batchOf(deps.Names, r)
			return sms.Cancel{Account: p.Account.ID, Batch: id, At: r.At}, err
		},
		Ask: func(_ context.Context, _ *admission.Pass, c sms.Cancel) (sms.Cancel, string, error) {
			return c, "", nil
		},
		Encode: func(_ *dialect.Request, _ sms.Cancel, c sms.Cancel) (dialect.Reply, error) {
			return encodeCancelled(deps.Names, c)
		},
		Effect: func(c sms.Cancel) dialect.Effect { return dialect.Effect{Cancel: &c} },
	}.Steps()
}

// batchInPath is what a path with a batch ends in. It takes everything there is,
// so that a path that lost its id, as the page's sample has, or ends in a slash
// is answered like any other id.
const batchInPath = "batchId"

// batchOf reads the batch that the path names; the fault is NotFound.
func batchOf(names *sms.Names, r *dialect.Request) (int64, error) {
	id, ok := names.ParseBatch(strings.TrimSuffix(r.PathValue(batchInPath), "/"))
	if !ok {
		return 0, fault.Wrap(fault.NotFound, fmt.Errorf("the path's %s is none of ours", batchInPath))
	}
	return id, nil
}
