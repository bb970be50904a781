package persian

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Series is the series of a birth certificate: a letter part of one to three
// letters and a number part of one or two digits. Many people share one; with
// the serial it names one certificate.
type Series struct{ letter, number string }

// ParseSeries takes the letter part and the number part in this order, glued or
// parted by blanks, a slash, a bar, a hyphen and the like. The letter alef may be
// spelled out, as it is on the certificates. It refuses with ErrForm.
func ParseSeries(s string) (Series, error) {
	series, err := parseSeries(s)
	if err != nil {
		return Series{}, fmt.Errorf("birth-certificate series: %w", err)
	}
	return series, nil
}

// Letter is the letter part, with alef as one letter.
func (s Series) Letter() string { return s.letter }

// Number is the number part in ASCII digits, a leading zero kept.
func (s Series) Number() string { return s.number }

// Glued is the series as registers print it: the letter part, then the number
// part in Persian digits, with nothing between.
func (s Series) Glued() string { return s.letter + ToPersianDigits(s.number) }

// String is Glued.
func (s Series) String() string { return s.Glued() }

// IsZero reports whether there is no series.
func (s Series) IsZero() bool { return s == Series{} }

// ParseSerial gives the six digits of a birth certificate's serial: ErrDigits or
// ErrLength.
func ParseSerial(s string) (string, error) {
	digits, err := number(s, 6, 6)
	if err != nil {
		return "", fmt.Errorf("birth-certificate serial: %w", err)
	}
	return digits, nil
}

func parseSeries(s string) (Series, error) {
	if len(s) > maxTyped {
		return Series{}, ErrForm
	}
	text := strings.Map(dropSeriesSeparator, Compact(s))
	at := strings.IndexAny(text, "0123456789")
	if at < 1 {
		return Series{}, ErrForm
	}
	letter, number := text[:at], text[at:]
	if spelled, ok := alef[letter]; ok {
		letter = spelled
	}
	if utf8.RuneCountInString(letter) > 3 || strings.ContainsFunc(letter, isNotSeriesLetter) {
		return Series{}, ErrForm
	}
	if len(number) > 2 || !allDigits(number) {
		return Series{}, ErrForm
	}
	return Series{letter, number}, nil
}

// alef holds the spellings of that letter; the other letters are written as they
// are.
var alef = map[string]string{"الف": "ا", "آ": "ا", "أ": "ا", "إ": "ا"}

func dropSeriesSeparator(r rune) rune {
	if strings.ContainsRune(`/\|._,،:`, r) {
		return -1
	}
	return r
}

func isNotSeriesLetter(r rune) bool {
	return !unicode.IsLetter(r) || !unicode.Is(unicode.Arabic, r)
}
