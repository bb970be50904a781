package persian

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseCard(t *testing.T) {
	t.Parallel()
	parse := code(ParseCard, Card.Digits)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"6037701689095443", "6037701689095443", nil},
		{"6219861034529007", "6219861034529007", nil},
		{"6037991234567893", "6037991234567893", nil},
		{"6104330000000011", "6104330000000011", nil},
		{"6037-7016-8909-5443", "6037701689095443", nil},
		{"۶۰۳۷ ۷۰۱۶ ۸۹۰۹ ۵۴۴۳", "6037701689095443", nil},
		{"6104337712345678", "", ErrChecksum},
		{"1234123412341234", "", ErrChecksum},
		{"0000000000000000", "", ErrAllEqual}, // passes the sum
		{"8888888888888888", "", ErrAllEqual}, // so does this
		{"603770168909544", "", ErrLength},
		{"60377016890954430", "", ErrLength},
		{"6037/7016/8909/5443", "", ErrDigits},
	})
}

func TestCardIssuer(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"6037701689095443": "کشاورزی",
		"6219861034529007": "سامان",
		"6037991234567893": "ملی",
		"6104330000000011": "ملت",
		"4111111111111111": "",
	} {
		if got := must(ParseCard(s)).Issuer(); got != want {
			t.Errorf("the issuer of %s is %q, want %q", s, got, want)
		}
	}
}

// TestIssuersAreBanks: the two tables of banks name a bank in one way.
func TestIssuersAreBanks(t *testing.T) {
	t.Parallel()
	banks := map[string]bool{}
	for _, name := range ibanBank {
		banks[name] = true
	}
	for bin, name := range cardIssuer {
		if !banks[name] {
			t.Errorf("%s is of %q, which is not in the table of banks", bin, name)
		}
		if len(bin) != 6 || !allDigits(bin) {
			t.Errorf("%q is no issuer number", bin)
		}
	}
}

// cardFits counts from the right, as the rule is published, by a table of what
// doubling does to a digit.
func cardFits(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d = [10]int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}[d]
		}
		sum += d
	}
	return sum%10 == 0
}

func TestCardCheckDigit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{16}`).Draw(t, "digits")
		_, err := ParseCard(digits)
		if want := cardFits(digits) && strings.Trim(digits, digits[:1]) != ""; (err == nil) != want {
			t.Fatalf("%s: %v", digits, err)
		}
	})
}

func FuzzCard(f *testing.F) {
	seed(f, "6037701689095443", "6037-7016-8909-5443", "۶۰۳۷۷۰۱۶۸۹۰۹۵۴۴۳", "0000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s, ParseCard, Card.Digits)
		c, err := ParseCard(s)
		if err != nil {
			return
		}
		if len(c.Digits()) != 16 || !allDigits(c.Digits()) || !cardFits(c.Digits()) {
			t.Errorf("%q gives %q", s, c.Digits())
		}
		if want := c.Digits()[:6] + "******" + c.Digits()[12:]; c.String() != want {
			t.Errorf("the mask of %q is %q", c.Digits(), c.String())
		}
	})
}
