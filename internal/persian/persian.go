// Package persian owns what people in Iran type and what is written about
// them: Persian and Arabic digits and letters, Jalali dates, national codes,
// legal and foreigner ids, IBANs, bank cards, mobile numbers, postal codes,
// birth-certificate series and vehicle plates. It says what has the right form
// and prints the one canonical spelling of it.
//
// It does no I/O and knows no register: that a code is well formed does not say
// that anybody has it. Which error a caller sees, and in which language, is left
// to the dialects.
//
// Every parser takes text as a person typed it: digits of all three kinds,
// Arabic letters, stray blanks, hyphens and direction marks. Every parser's
// errors wrap one of the sentinels below and never hold the input.
package persian

import "errors"

// The reasons for which a parser refuses. Test with errors.Is.
var (
	// ErrLength: too few or too many digits, nothing included.
	ErrLength = errors.New("wrong number of digits")
	// ErrDigits: something other than a digit where only digits belong.
	ErrDigits = errors.New("not only digits")
	// ErrAllEqual: one digit repeated, which passes several of the sums.
	ErrAllEqual = errors.New("all digits are equal")
	// ErrChecksum: the check digit does not fit the others.
	ErrChecksum = errors.New("the check digit is wrong")
	// ErrForm: the parts are not where they belong, or a part is missing.
	ErrForm = errors.New("not in the expected form")
	// ErrPlace: a national code of the issuing place 000, which no office has.
	ErrPlace = errors.New("no such issuing place")
	// ErrZeroMiddle: a legal id whose serial part is all zeros.
	ErrZeroMiddle = errors.New("the serial part is all zeros")
	// ErrYear: a year outside 1200 to 1499.
	ErrYear = errors.New("the year is out of range")
	// ErrNoSuchDay: a date that is not in the calendar.
	ErrNoSuchDay = errors.New("no such day in the calendar")
	// ErrFuture: a birth date after today.
	ErrFuture = errors.New("the date is in the future")
	// ErrTooOld: a birth date more than 130 years ago.
	ErrTooOld = errors.New("the date is too long ago")
)

// maxTyped is how many bytes a parser looks at. The longest honest input is an
// IBAN in Persian digits whose groups are wrapped in direction marks, about 110
// bytes. Anything longer is refused before it costs a normalisation.
const maxTyped = 128

// number makes typed text plain and asks that it be least to most digits.
func number(s string, least, most int) (string, error) {
	if len(s) > maxTyped {
		return "", ErrLength
	}
	s = Compact(s)
	if !allDigits(s) {
		return "", ErrDigits
	}
	if len(s) < least || len(s) > most {
		return "", ErrLength
	}
	return s, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func allEqual(s string) bool {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			return false
		}
	}
	return true
}

// value is the number that digits spell; they must be digits, at most 18.
func value(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}
