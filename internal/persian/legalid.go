package persian

import "fmt"

// LegalID is the eleven-digit national id of a legal person (shenase-ye melli).
type LegalID struct{ masked[hidden] }

// ParseLegalID refuses with ErrDigits, ErrLength, ErrAllEqual, ErrZeroMiddle or
// ErrChecksum.
func ParseLegalID(s string) (LegalID, error) {
	digits, err := number(s, 11, 11)
	if err == nil {
		err = checkLegalID(digits)
	}
	if err != nil {
		return LegalID{}, fmt.Errorf("legal id: %w", err)
	}
	return LegalID{masked[hidden]{digits}}, nil
}

// Digits is the id itself: eleven ASCII digits, or nothing for the zero value.
func (id LegalID) Digits() string { return id.text }

func checkLegalID(digits string) error {
	if allEqual(digits) {
		return ErrAllEqual
	}
	if digits[3:9] == "000000" {
		return ErrZeroMiddle
	}
	weights := [5]int{29, 27, 23, 19, 17}
	shift := int(digits[9]-'0') + 2
	sum := 0
	for i := range 10 {
		sum += (int(digits[i]-'0') + shift) * weights[i%5]
	}
	if sum%11%10 != int(digits[10]-'0') {
		return ErrChecksum
	}
	return nil
}

// ForeignerID is the twelve-digit code of a foreign person, natural or legal
// (FIDA, code-e faragir). The code does not tell which of the two it is.
type ForeignerID struct{ masked[hidden] }

// ParseForeignerID looks at length and digits only, since no rule for a check
// digit is published: ErrDigits or ErrLength.
func ParseForeignerID(s string) (ForeignerID, error) {
	digits, err := number(s, 12, 12)
	if err != nil {
		return ForeignerID{}, fmt.Errorf("foreigner id: %w", err)
	}
	return ForeignerID{masked[hidden]{digits}}, nil
}

// Digits is the code itself: twelve ASCII digits, or nothing for the zero value.
func (id ForeignerID) Digits() string { return id.text }
