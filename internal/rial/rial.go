// Package rial owns the unit of money.
package rial

import "strconv"

// Amount is money in Iranian rials. Ledger arithmetic stays in int64: the
// largest wallet is far below the overflow at 9.2e18.
type Amount int64

// String is the plain number, ASCII digits, no separators, no unit.
func (a Amount) String() string { return strconv.FormatInt(int64(a), 10) }

// Grouped is the number with a comma every three digits: 1,234,567.
func (a Amount) Grouped() string {
	s := a.String()
	start := 0
	if a < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
