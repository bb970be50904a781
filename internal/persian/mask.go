package persian

import (
	"fmt"
	"io"
	"log/slog"
)

// masked is a text that shows itself to nobody who does not ask for it by the
// method of its own type (Digits, Local, Electronic). Every general way of
// writing a value out (fmt with any verb, slog, JSON, text) gives the mask, so
// that a code that ends up in a log line, an error or a debug dump by accident
// tells nothing.
//
// Two masked values are equal under == when their texts are. One way around the
// mask cannot be closed here: fmt reads an unexported struct field directly
// instead of calling its methods. So keep these values in exported fields of
// structs that may be printed.
type masked[S style] struct{ text string }

// style says how much of a text may be seen.
type style interface{ show(text string) string }

// hidden shows nothing.
type hidden struct{}

func (hidden) show(string) string { return "***" }

// ends shows the first six and the last four digits of a card, which name the
// bank and let the owner recognise it, and which the card industry's rules allow.
type ends struct{}

func (ends) show(text string) string { return text[:6] + "******" + text[len(text)-4:] }

// IsZero reports whether there is no value at all.
func (m masked[S]) IsZero() bool { return m.text == "" }

// String is the mask; nothing when there is no value.
func (m masked[S]) String() string {
	if m.IsZero() {
		return ""
	}
	var s S
	return s.show(m.text)
}

// GoString is the mask.
func (m masked[S]) GoString() string { return m.String() }

// Format writes the mask for every verb and flag: without it %x and %d would
// write the text out in another shape.
func (m masked[S]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue is the mask.
func (m masked[S]) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText gives the mask, and so does MarshalJSON. A value reaches a
// marshaller by accident (a struct logged as JSON, a map key, an error body) far
// more easily than on purpose, and the accident must not tell a person's code.
// An encoder that means to send it asks for it by name. There is no unmarshaller:
// values come in through their parser.
func (m masked[S]) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// MarshalJSON gives the mask; see MarshalText.
func (m masked[S]) MarshalJSON() ([]byte, error) { return []byte(`"` + m.String() + `"`), nil }
