package sms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxValue is how long a parameter's value may be, in characters (smsafzar's
// page of messages/send/template).
const MaxValue = 100

// maxName is how long a parameter's name may be, in characters. Ours.
const maxName = 40

// Why a template's text is none.
var (
	ErrBrace = errors.New("a brace that stands alone; a brace of the text is written twice")
	ErrName  = fmt.Errorf("a name is letters, digits, _ and -, at most %d of them", maxName)
)

// Template is a text with places for parameters, each written {name}. A brace
// that belongs to the text is written twice. Names are compared as they are,
// letter for letter. The zero Template is the empty text.
type Template struct{ pieces []piece }

// piece is a parameter where it has a name, else plain text.
type piece struct{ text, name string }

// ParseTemplate refuses with ErrBrace or ErrName, and tells where, in characters
// from 1. Blanks between a name and its braces do not count.
func ParseTemplate(text string) (Template, error) {
	var t Template
	var plain strings.Builder
	for rest := text; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			i = len(rest)
		}
		plain.WriteString(rest[:i])
		if rest = rest[i:]; rest == "" {
			break
		}
		if len(rest) > 1 && rest[1] == rest[0] {
			plain.WriteByte(rest[0])
			rest = rest[2:]
			continue
		}
		name, length, err := placeholder(rest)
		if err != nil {
			return Template{}, fmt.Errorf("character %d: %w", utf8.RuneCountInString(text[:len(text)-len(rest)])+1, err)
		}
		t.pieces = append(t.pieces, piece{text: plain.String()}, piece{name: name})
		plain.Reset()
		rest = rest[length:]
	}
	t.pieces = append(t.pieces, piece{text: plain.String()})
	return t, nil
}

// placeholder reads {name} at the beginning of rest.
func placeholder(rest string) (name string, length int, err error) {
	end := strings.IndexByte(rest, '}')
	if rest[0] != '{' || end < 0 {
		return "", 0, ErrBrace
	}
	name = strings.TrimSpace(rest[1:end])
	if name == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, notOfName) {
		return "", 0, ErrName
	}
	return name, end + 1, nil
}

// notOfName lets marks and ZWNJ through: both are within Persian words.
func notOfName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("_-\u200c", r)
}

// Names are those of the parameters, each once, in the order of the alphabet.
func (t Template) Names() []string {
	names := map[string]bool{}
	for _, p := range t.pieces {
		if p.name != "" {
			names[p.name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Fill puts the values in their places. They may hold anything, blanks, line
// breaks and braces too, and may be empty; nothing in a value is a parameter.
// It refuses with a *Misfit.
func (t Template) Fill(values map[string]string) (string, error) {
	if misfit := t.misfit(values); misfit != nil {
		return "", misfit
	}
	var text strings.Builder
	for _, p := range t.pieces {
		text.WriteString(p.text)
		if p.name != "" {
			text.WriteString(values[p.name])
		}
	}
	return text.String(), nil
}

// Misfit tells which parameters do not fit a template, by name, in the order of
// the alphabet.
type Misfit struct {
	Missing []string // not given
	Unknown []string // given, and not in the template
	Long    []string // longer than MaxValue
}

// Error names those of the template. The unknown ones are only counted: a name
// that we do not know can be anything.
func (m *Misfit) Error() string {
	return fmt.Sprintf("parameters: missing %q, too long %q, unknown %d", m.Missing, m.Long, len(m.Unknown))
}

func (t Template) misfit(values map[string]string) *Misfit {
	var m Misfit
	names := t.Names()
	for _, name := range names {
		value, given := values[name]
		switch {
		case !given:
			m.Missing = append(m.Missing, name)
		case utf8.RuneCountInString(value) > MaxValue:
			m.Long = append(m.Long, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, known := slices.BinarySearch(names, name); !known {
			m.Unknown = append(m.Unknown, name)
		}
	}
	if m.Missing == nil && m.Unknown == nil && m.Long == nil {
		return nil
	}
	return &m
}
