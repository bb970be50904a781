package persian

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestParseLegalID(t *testing.T) {
	t.Parallel()
	parse := code(ParseLegalID, LegalID.Digits)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"10380284790", "10380284790", nil},
		{"10840014242", "10840014242", nil},
		{"14001234562", "14001234562", nil},
		{"10101234565", "10101234565", nil},
		{"14001000090", "14001000090", nil}, // a remainder of 10 becomes 0
		{"۱۰۳۸۰۲۸۴۷۹۰", "10380284790", nil},
		{"103-8028479-0", "10380284790", nil},
		{"14005556644", "", ErrChecksum},
		{"10380284791", "", ErrChecksum},
		{"11111111111", "", ErrAllEqual},
		{"00000000000", "", ErrAllEqual},
		{"10100000012", "", ErrZeroMiddle},
		{"1038028479", "", ErrLength},
		{"103802847900", "", ErrLength},
	})
}

// legalIDFits is the rule with the weights reduced mod 11 and the shift taken
// out: the weights sum to 230, which is -1 mod 11.
func legalIDFits(digits string) bool {
	sum := -(int(digits[9]-'0') + 2)
	for i, weight := range []int{7, 5, 1, 8, 6, 7, 5, 1, 8, 6} {
		sum += weight * int(digits[i]-'0')
	}
	rest := ((sum % 11) + 11) % 11
	return rest == int(digits[10]-'0') || rest == 10 && digits[10] == '0'
}

func TestLegalIDCheckDigit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ten := rapid.IntRange(1_000_000_000, 9_999_999_999).Draw(t, "ten")
		for check := range 10 {
			digits := fmt.Sprintf("%d%d", ten, check)
			_, err := ParseLegalID(digits)
			want := legalIDFits(digits) && !allEqual(digits) && digits[3:9] != "000000"
			if (err == nil) != want {
				t.Fatalf("%s: %v", digits, err)
			}
		}
	})
}

func TestParseForeignerID(t *testing.T) {
	t.Parallel()
	parse := code(ParseForeignerID, ForeignerID.Digits)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"101111111111", "101111111111", nil},
		{"۱۰۱۱۱۱۱۱۱۱۱۱", "101111111111", nil},
		{"012345678901", "012345678901", nil},
		{"12345678901", "", ErrLength},
		{"1234567890123", "", ErrLength},
		{"10111111111a", "", ErrDigits},
	})
}

func FuzzLegalID(f *testing.F) {
	seed(f, "10380284790", "۱۰۳۸۰۲۸۴۷۹۰", "14001000090", "10100000012", "101111111111")
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s, ParseLegalID, LegalID.Digits)
		if id, err := ParseLegalID(s); err == nil && (len(id.Digits()) != 11 || !legalIDFits(id.Digits())) {
			t.Errorf("%q gives %q", s, id.Digits())
		}
	})
}

func FuzzForeignerID(f *testing.F) {
	seed(f, "101111111111", "۱۰۱۱۱۱۱۱۱۱۱۱", "1011-1111-1111")
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s, ParseForeignerID, ForeignerID.Digits)
		if id, err := ParseForeignerID(s); err == nil && (len(id.Digits()) != 12 || !allDigits(id.Digits())) {
			t.Errorf("%q gives %q", s, id.Digits())
		}
	})
}
