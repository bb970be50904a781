// Package rial owns the unit of money.
package rial

import "strconv"

// Amount is money in Iranian rials. Ledger arithmetic stays in int64: the
// largest wallet is far below the overflow at 9.2e18.
type Amount int64

// String is the plain number, ASCII digits, no separators, no unit.
func (a Amount) String() string { return strconv.FormatInt(int64(a), 10) }
