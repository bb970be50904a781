package persian

import (
	"fmt"
	"strings"
)

// NationalCode is a person's ten-digit national code (code-e melli) of right
// form. The first three digits name the issuing place, the next six the person,
// the last is the check digit.
type NationalCode struct{ masked[hidden] }

// ParseNationalCode wants all ten digits: ErrDigits, ErrLength, ErrAllEqual,
// ErrPlace or ErrChecksum.
//
// A person part of six zeros is accepted, though one well-known library refuses
// it: no official text does, and a code that nobody has is the register's to
// deny. For the same reason the issuing place is not held against a table.
func ParseNationalCode(s string) (NationalCode, error) { return nationalCode(s, 10) }

// PadNationalCode is ParseNationalCode for sources that keep the code as a
// number: eight to ten digits, the leading zeros put back. Never use it on what
// a person typed, where a missing digit is a mistake.
func PadNationalCode(s string) (NationalCode, error) { return nationalCode(s, 8) }

// Digits is the code itself: ten ASCII digits, or nothing for the zero value.
func (c NationalCode) Digits() string { return c.text }

func nationalCode(s string, least int) (NationalCode, error) {
	digits, err := number(s, least, 10)
	if err == nil {
		if missing := 10 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		err = checkNationalCode(digits)
	}
	if err != nil {
		return NationalCode{}, fmt.Errorf("national code: %w", err)
	}
	return NationalCode{masked[hidden]{digits}}, nil
}

func checkNationalCode(digits string) error {
	if allEqual(digits) {
		return ErrAllEqual
	}
	if digits[:3] == "000" {
		return ErrPlace
	}
	sum := 0
	for i := range 9 {
		sum += int(digits[i]-'0') * (10 - i)
	}
	check := sum % 11
	if check >= 2 {
		check = 11 - check
	}
	if int(digits[9]-'0') != check {
		return ErrChecksum
	}
	return nil
}
