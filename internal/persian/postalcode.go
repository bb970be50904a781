package persian

import (
	"fmt"
	"strings"
)

// PostalCode is a ten-digit postal code: five digits for the route, five for the
// delivery point.
type PostalCode struct{ masked[hidden] }

// ParsePostalCode refuses with ErrDigits, ErrLength or ErrAllEqual. The stricter
// pattern that is passed around (no 2 anywhere, no 5 in the fifth place) refuses
// codes that are in use.
func ParsePostalCode(s string) (PostalCode, error) {
	digits, err := number(s, 10, 10)
	if err == nil && allEqual(digits) {
		err = ErrAllEqual
	}
	if err != nil {
		return PostalCode{}, fmt.Errorf("postal code: %w", err)
	}
	return PostalCode{masked[hidden]{digits}}, nil
}

// Digits is the code itself: ten ASCII digits, or nothing for the zero value.
func (c PostalCode) Digits() string { return c.text }

// Doubtful reports a 0 or a 2 in the first five digits, which the post leaves
// out because in Persian they are easily taken for 5 and 3. It is worth a
// warning and no more.
func (c PostalCode) Doubtful() bool {
	return !c.IsZero() && strings.ContainsAny(c.text[:5], "02")
}
