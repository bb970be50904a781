package persian

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestParseNationalCode(t *testing.T) {
	t.Parallel()
	parse := code(ParseNationalCode, NationalCode.Digits)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"0012345679", "0012345679", nil},
		{"1234567891", "1234567891", nil},
		{"0123456789", "0123456789", nil},
		{"1000000060", "1000000060", nil}, // remainder 0
		{"1000000011", "1000000011", nil}, // remainder 1
		{"1000000079", "1000000079", nil}, // remainder 2
		{"1000000001", "1000000001", nil}, // remainder 10
		{"0012345678", "", ErrChecksum},
		{"1111111111", "", ErrAllEqual},
		{"0000000000", "", ErrAllEqual},
		{"۵۵۵۵۵۵۵۵۵۵", "", ErrAllEqual},
		{"0000000019", "", ErrPlace}, // passes the sum
		{"۰۰۱۲۳۴۵۶۷۹", "0012345679", nil},
		{"٠٠١٢٣٤٥٦٧٩", "0012345679", nil},
		{"001-234567-9", "0012345679", nil},
		{" 001 234567 9\n", "0012345679", nil},
		{"\u200f0012345679\u200e", "0012345679", nil},
		{"\ufeff0012345679", "0012345679", nil},
		{"00123\u200c45679", "0012345679", nil},
		{"12345679", "", ErrLength},
		{"012345679", "", ErrLength},
		{"00012345679", "", ErrLength},
		{"001234567O", "", ErrDigits},
		{"0012345679.", "", ErrDigits},
		{"001/234567/9", "", ErrDigits},
	})
}

func TestPadNationalCode(t *testing.T) {
	t.Parallel()
	parse := code(PadNationalCode, NationalCode.Digits)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"12345679", "0012345679", nil},
		{"۱۲۳۴۵۶۷۹", "0012345679", nil},
		{"012345679", "0012345679", nil},
		{"0012345679", "0012345679", nil},
		{"123456789", "0123456789", nil},
		{"12345678", "", ErrChecksum},
		{"1234567", "", ErrLength},
		{"00000000", "", ErrAllEqual},
		{"00012345679", "", ErrLength},
	})
}

// nationalCodeFits is the rule written another way: with the check digit
// weighted 1 the sum is a multiple of 11, but for a remainder of 1, where the
// check digit would have to be 10 and is 1.
func nationalCodeFits(digits string) bool {
	sum, weight := 0, 1
	for i := len(digits) - 1; i >= 0; i-- {
		sum += weight * int(digits[i]-'0')
		weight++
	}
	return sum%11 == 0 || sum%11 == 2 && digits[9] == '1'
}

func TestNationalCodeCheckDigit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		nine := rapid.IntRange(1_000_000, 999_999_999).Draw(t, "nine")
		right := 0
		for check := range 10 {
			digits := fmt.Sprintf("%09d%d", nine, check)
			if allEqual(digits) {
				right++ // one of the ten fits, and is refused
				continue
			}
			c, err := ParseNationalCode(digits)
			if (err == nil) != nationalCodeFits(digits) {
				t.Fatalf("%s: %v", digits, err)
			}
			if err == nil {
				right++
				padded, err := PadNationalCode(fmt.Sprint(nine*10 + check))
				if err != nil || padded != c {
					t.Fatalf("%s without its zeros: %q, %v", digits, padded.Digits(), err)
				}
			}
		}
		if right != 1 {
			t.Fatalf("%09d has %d check digits", nine, right)
		}
	})
}

func FuzzNationalCode(f *testing.F) {
	seed(f, "0012345679", "۰۰۱۲۳۴۵۶۷۹", "001-234567-9", "12345679", "0000000019", "1000000001")
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s, ParseNationalCode, NationalCode.Digits)
		checkCode(t, s, PadNationalCode, NationalCode.Digits)
		if c, err := ParseNationalCode(s); err == nil && (len(c.Digits()) != 10 || !allDigits(c.Digits()) || !nationalCodeFits(c.Digits())) {
			t.Errorf("%q gives %q", s, c.Digits())
		}
	})
}
