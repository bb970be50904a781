package persian

import (
	"fmt"
	"strings"
)

// Mobile is an Iranian mobile number.
type Mobile struct{ masked[hidden] }

// ParseMobile takes ten digits that begin with 9, alone or after 0, 98, 0098 or
// +98. It refuses with ErrForm (another number, a landline say), ErrDigits or
// ErrLength. An unknown prefix is not a reason: new ones are given out.
func ParseMobile(s string) (Mobile, error) {
	local, err := mobile(s)
	if err != nil {
		return Mobile{}, fmt.Errorf("mobile: %w", err)
	}
	return Mobile{masked[hidden]{local}}, nil
}

// Local is the number as providers take it, 09 and nine digits; nothing for the
// zero value.
func (m Mobile) Local() string { return m.text }

// International is the number in the form +989 and nine digits; nothing for the
// zero value.
func (m Mobile) International() string {
	if m.IsZero() {
		return ""
	}
	return "+98" + m.text[1:]
}

// Operator is the Persian name of the operator to which the prefix was first
// given; nothing when it is unknown. Numbers move between operators, so it
// proves nothing about the present one.
func (m Mobile) Operator() string {
	if m.IsZero() {
		return ""
	}
	switch p := value(m.text[1:4]); {
	case p >= 910 && p <= 919, p >= 990 && p <= 996:
		return "همراه اول"
	case p >= 900 && p <= 905, p == 930, p == 933, p >= 935 && p <= 939, p == 941:
		return "ایرانسل"
	case p >= 920 && p <= 924:
		return "رایتل"
	case p == 932:
		return "تالیا"
	case p == 931, p == 934:
		return "اپراتور منطقه\u200cای"
	case p == 998:
		return "شاتل موبایل"
	case p == 999:
		return "اپراتور مجازی"
	}
	return ""
}

func mobile(s string) (string, error) {
	if len(s) > maxTyped {
		return "", ErrLength
	}
	text := Compact(s)
	if !allDigits(strings.TrimPrefix(text, "+")) {
		return "", ErrDigits
	}
	// The longer prefixes come first: a bare 98 is also the end of 0098.
	for _, prefix := range [...]string{"+98", "0098", "98", "0", ""} {
		rest, ok := strings.CutPrefix(text, prefix)
		if !ok || len(rest) != 10 || rest[0] != '9' {
			continue
		}
		if prefix == "0" {
			return text, nil
		}
		return "0" + rest, nil
	}
	if len(text) < 10 || len(text) > 14 {
		return "", ErrLength
	}
	return "", ErrForm
}
