package smsafzar

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/strict"
)

// The page's minimum lengths, in characters.
const (
	minUsername = 6
	minPassword = 8
)

// credentials is the body of auth/token.
type credentials struct{ username, password, domain string }

// decodeLogin reads auth/token's body; its faults are Malformed and Invalid,
// the latter with every unacceptable field in the page's order. A password is
// taken as it was sent: blanks and marks may belong to it.
func decodeLogin(r *dialect.Request) (credentials, error) {
	f, err := readBody(r)
	if err != nil {
		return credentials{}, err
	}
	in := credentials{
		username: f.text("userName", "UserName", minUsername, persian.Clean),
		password: f.text("password", "Password", minPassword, asSent),
		domain:   f.text("domain", "Domain", 1, persian.Clean),
	}
	return in, f.fault()
}

// reader takes members out of a body and collects what is wrong with them.
type reader struct {
	body strict.Object
	bad  []fault.Field
	many bool // a list has more than sms.MaxMessages values
}

// readBody opens a body. One of more parts than any body may have is one of too
// many values, which the page has an answer for.
func readBody(r *dialect.Request) (*reader, error) {
	body, err := r.JSON(false)
	if e, is := errors.AsType[*strict.Error](err); is && e.Kind == strict.TooMany {
		return nil, tooManyValues()
	}
	return &reader{body: body}, err
}

func tooManyValues() error { return &fault.Error{Code: fault.TooMany, Limit: sms.MaxMessages} }

// fault is what was wrong, if anything was.
func (f *reader) fault() error {
	switch {
	case f.many:
		return tooManyValues()
	case len(f.bad) > 0:
		return fault.Bad(f.bad...)
	}
	return nil
}

func (f *reader) wrong(field string, rule fault.Rule) {
	f.complain(fault.Field{Name: field, Rule: rule})
}

// complain keeps the first complaint about a field: what is no string has no
// digits either.
func (f *reader) complain(about fault.Field) {
	if n := len(f.bad); n == 0 || f.bad[n-1].Name != about.Name {
		f.bad = append(f.bad, about)
	}
}

// text reads a string of at least so many characters, counted after clean. A
// member that is absent or null is a string of none. The complaint names the
// field as the page does, which is not the member's spelling everywhere.
func (f *reader) text(member, field string, least int, clean func(string) string) string {
	return f.textOf(f.body.Get(member), field, least, clean)
}

func (f *reader) textOf(value strict.Value, field string, least int, clean func(string) string) string {
	s, isText := value.String()
	if !isText && given(value) {
		f.wrong(field, fault.Type)
		return ""
	}
	return f.long(clean(s), field, least)
}

// long gives back a text of at least so many characters.
func (f *reader) long(s, field string, least int) string {
	switch n := utf8.RuneCountInString(s); {
	case n >= least:
	case least == 1:
		f.wrong(field, fault.Missing)
	default:
		f.complain(fault.Field{Name: field, Rule: fault.Short, Min: least})
	}
	return s
}

// list reads the values of an array, at least one. The complaint about a value
// has its place, from 0.
func (f *reader) list(member string, each func(value strict.Value, field string)) {
	value := f.body.Get(member)
	values, isList := value.Array()
	switch {
	case !isList && given(value):
		f.wrong(member, fault.Type)
	case len(values) == 0:
		f.wrong(member, fault.Missing)
	case len(values) > sms.MaxMessages:
		f.many = true
	default:
		for i, v := range values {
			each(v, fmt.Sprintf("%s[%d]", member, i))
		}
	}
}

// texts is list for strings.
func (f *reader) texts(member string, each func(text, field string)) {
	f.list(member, func(value strict.Value, field string) { each(f.textOf(value, field, 0, asSent), field) })
}

// lastSecond is the end of the year 9999.
const lastSecond = 253_402_300_799

// moment reads Unix seconds that are still to come; the zero time where there
// are none.
func (f *reader) moment(member string, now time.Time) time.Time {
	value := f.body.Get(member)
	seconds, isWhole := value.Int()
	switch {
	case !given(value):
		return time.Time{}
	case !isWhole:
		f.wrong(member, fault.Type)
		return time.Time{}
	}
	return f.due(seconds, member, now)
}

func (f *reader) due(seconds int64, field string, now time.Time) time.Time {
	switch {
	case seconds > lastSecond:
		f.wrong(field, fault.Form)
	case !time.Unix(seconds, 0).After(now):
		f.wrong(field, fault.Past)
	default:
		return time.Unix(seconds, 0)
	}
	return time.Time{}
}

// mobile reads a recipient's number in any of the page's five forms.
func (f *reader) mobile(text, field string) persian.Mobile {
	m, err := persian.ParseMobile(text)
	switch {
	case err == nil:
	case persian.Compact(text) == "":
		f.wrong(field, fault.Missing)
	default:
		f.wrong(field, fault.Form)
	}
	return m
}

// line reads a sender's number. Whether it is one is asked of the account's
// lines.
func (f *reader) line(text, field string) string {
	return f.long(persian.Compact(text), field, 1)
}

// content reads a message's text, which is sent as it came.
func (f *reader) content(text, field string) string {
	f.long(strings.TrimSpace(text), field, 1)
	return text
}

func given(value strict.Value) bool {
	return value.Kind() != strict.Absent && value.Kind() != strict.Null
}

func asSent(s string) string { return s }
