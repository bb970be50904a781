package sms

import (
	"slices"
	"strings"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
)

// MaxMessages is how many messages one order can be (smsafzar's page of the
// methods; sabapayamak's upstream has the same).
const MaxMessages = 100

// Order is what a caller wants sent. Whoever makes one has read the values;
// recipients are mobiles of this country, since a Mobile is nothing else, which
// also keeps out numbers abroad that pumpers earn from.
//
// Lines, Recipients and Texts hold one value each, which is for all messages, or
// as many as there are messages.
type Order struct {
	Account    *account.Account
	Call       string // operation id
	At         time.Time
	Lines      []string // as the caller spells them; may be empty where the template has its own
	Recipients []persian.Mobile
	Texts      []string
	Due        time.Time // zero: at once
	Template   string    // its id; instead of Texts
	Parameters []Parameter
	Fields     Fields
}

// Parameter is a value for a template.
type Parameter struct{ Name, Value string }

// Fields are the names that the caller knows the values by; faults have them.
type Fields struct{ Lines, Recipients, Texts, Due string }

// Field is the value of an order of one message, for scenarios: recipient, line
// or template.
func (o *Order) Field(name string) (string, bool) {
	if values := o.values(name); len(values) == 1 {
		return values[0], true
	}
	return "", false
}

// Has tells whether any of the messages has the value.
func (o *Order) Has(name, value string) bool { return slices.Contains(o.values(name), value) }

func (o *Order) values(name string) (values []string) {
	switch {
	case name == "recipient":
		for _, r := range o.Recipients {
			values = append(values, r.Local())
		}
	case name == "line":
		for _, l := range o.Lines {
			values = append(values, account.LineKey(l))
		}
	case name == "template" && o.Template != "":
		values = []string{o.Template}
	}
	return values
}

// check says how many messages it is. Faults are TooMany, and Invalid with the
// rules Missing and Lengths.
func (o *Order) check() (n int, err error) {
	lists := [...]struct {
		name string
		size int
	}{
		{o.Fields.Lines, len(o.Lines)}, {o.Fields.Recipients, len(o.Recipients)}, {o.Fields.Texts, len(o.Texts)},
	}
	var wrong []fault.Field
	for _, l := range lists {
		if n = max(n, l.size); l.size == 0 {
			wrong = append(wrong, fault.Field{Name: l.name, Rule: fault.Missing})
		}
	}
	if n > MaxMessages {
		return 0, &fault.Error{Code: fault.TooMany, Limit: MaxMessages}
	}
	for _, l := range lists {
		if l.size > 1 && l.size < n {
			wrong = append(wrong, fault.Field{Name: l.name, Rule: fault.Lengths})
		}
	}
	if slices.ContainsFunc(o.Recipients, persian.Mobile.IsZero) {
		wrong = append(wrong, fault.Field{Name: o.Fields.Recipients, Rule: fault.Missing})
	}
	if slices.ContainsFunc(o.Texts, func(t string) bool { return strings.TrimSpace(t) == "" }) {
		wrong = append(wrong, fault.Field{Name: o.Fields.Texts, Rule: fault.Missing})
	}
	if wrong != nil {
		return 0, fault.Bad(wrong...)
	}
	return n, nil
}

// each gives the value of the i-th message.
func each[T any](values []T, i int) T { return values[min(i, len(values)-1)] }
