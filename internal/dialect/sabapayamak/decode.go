package sabapayamak

import (
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/strict"
)

// maxDays is the longest life of a token; the shortest is one day.
const maxDays = 365

// credentials is the body of user/authenticate.
type credentials struct {
	username, password, line string
	days                     int // 1..365
}

// decodeLogin reads the body, its names in any letter case; its faults are
// Malformed and Invalid, the latter with every unacceptable field in the
// page's order. A password is taken as it was sent: blanks and marks may
// belong to it.
func decodeLogin(r *dialect.Request) (credentials, error) {
	body, err := r.JSON(true)
	if err != nil {
		return credentials{}, err
	}
	f := reader{body: body}
	in := credentials{
		username: f.text("Username", persian.Clean),
		password: f.text("Password", asSent),
		line:     f.number("VirtualNumber"),
		days:     f.days("TokenValidDay"),
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

func (f *reader) refuse(name string, rule fault.Rule) {
	f.bad = append(f.bad, fault.Field{Name: name, Rule: rule})
}

// text reads a string that is not empty after clean.
func (f *reader) text(name string, clean func(string) string) string {
	value := f.body.Get(name)
	s, isText := value.String()
	if s = clean(s); s != "" {
		return s
	}
	if isText || isNone(value) {
		f.refuse(name, fault.Missing)
	} else {
		f.refuse(name, fault.Type)
	}
	return ""
}

// number reads a line. Whether it is one is for who looks it up: a line that is
// no number is nobody's line.
func (f *reader) number(name string) string {
	return f.digits(name, persian.Compact)
}

// digits reads a string of digits, which clients in loosely typed languages
// also send as a JSON number.
func (f *reader) digits(name string, clean func(string) string) string {
	if literal, isNumber := f.body.Get(name).Number(); isNumber {
		return literal
	}
	return f.text(name, clean)
}

// days reads a lifetime, as a number or as a string of digits of any script.
// Unlike a line's number it is not freed of hyphens and inner blanks: "-1" is
// no lifetime, and must not read as 1.
func (f *reader) days(name string) int {
	digits := f.digits(name, persian.Clean)
	if digits == "" {
		return 0 // digits has said why
	}
	days, err := strconv.ParseUint(digits, 10, 16) // unlike Atoi, it takes no sign
	if err != nil || days < 1 || days > maxDays {
		f.bad = append(f.bad, fault.Field{Name: name, Rule: fault.Range, Min: 1, Max: maxDays})
	}
	return int(days)
}

func asSent(s string) string { return s }

func isNone(v strict.Value) bool { return v.Kind() == strict.Absent || v.Kind() == strict.Null }

// bearer finds the token in an Authorization header's value: alone, after
// "Bearer" and any blanks, or after the header's own name once more (README,
// "Authorization"). What else stands there is part of the token, which is then
// nobody's.
func bearer(value string) string {
	if name, rest, found := strings.Cut(value, ":"); found && strings.EqualFold(strings.Trim(name, blanks), "Authorization") {
		value = rest
	}
	value = strings.Trim(value, blanks)
	scheme, rest := value, ""
	if i := strings.IndexAny(value, blanks); i >= 0 {
		scheme, rest = value[:i], value[i:]
	}
	if strings.EqualFold(scheme, "Bearer") {
		value = strings.Trim(rest, blanks)
	}
	return value
}

const blanks = " \t"
