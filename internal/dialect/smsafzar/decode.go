package smsafzar

import (
	"unicode/utf8"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
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
	body, err := r.JSON(false)
	if err != nil {
		return credentials{}, err
	}
	f := reader{body: body}
	in := credentials{
		username: f.text("userName", "UserName", minUsername, persian.Clean),
		password: f.text("password", "Password", minPassword, asSent),
		domain:   f.text("domain", "Domain", 1, persian.Clean),
	}
	if len(f.bad) > 0 {
		return credentials{}, fault.Bad(f.bad...)
	}
	return in, nil
}

// reader takes members out of a body and collects what is wrong with them.
type reader struct {
	body strict.Object
	bad  []fault.Field
}

// text reads a string of at least so many characters, counted after clean. A
// member that is absent or null is a string of none. The complaint names the
// field as the page does, which is not the member's spelling.
func (f *reader) text(member, field string, least int, clean func(string) string) string {
	value := f.body.Get(member)
	s, isText := value.String()
	if !isText && value.Kind() != strict.Absent && value.Kind() != strict.Null {
		f.bad = append(f.bad, fault.Field{Name: field, Rule: fault.Type})
		return ""
	}
	s = clean(s)
	switch n := utf8.RuneCountInString(s); {
	case n >= least:
	case least == 1:
		f.bad = append(f.bad, fault.Field{Name: field, Rule: fault.Missing})
	default:
		f.bad = append(f.bad, fault.Field{Name: field, Rule: fault.Short, Min: least})
	}
	return s
}

func asSent(s string) string { return s }
