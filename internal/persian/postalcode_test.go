package persian

import "testing"

func TestParsePostalCode(t *testing.T) {
	t.Parallel()
	parse := code(ParsePostalCode, PostalCode.Digits)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"1193653471", "1193653471", nil},
		{"11936-53471", "1193653471", nil},
		{"۱۱۹۳۶–۵۳۴۷۱", "1193653471", nil},
		{"0123456789", "0123456789", nil},
		{"1111113471", "1111113471", nil},
		{"1193523472", "1193523472", nil},
		{"1111111111", "", ErrAllEqual},
		{"119365347", "", ErrLength},
		{"11936534711", "", ErrLength},
		{"11936.53471", "", ErrDigits},
	})
}

func TestPostalCodeDoubtful(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"1193653471": false,
		"1193653200": false, // the delivery half may hold both
		"1110534567": true,
		"1112534567": true,
		"0123456789": true,
		"2193653471": true,
	} {
		if got := must(ParsePostalCode(s)).Doubtful(); got != want {
			t.Errorf("%s doubtful: %v, want %v", s, got, want)
		}
	}
}

func FuzzPostalCode(f *testing.F) {
	seed(f, "1193653471", "11936-53471", "۱۱۹۳۶۵۳۴۷۱")
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s, ParsePostalCode, PostalCode.Digits)
		if c, err := ParsePostalCode(s); err == nil && (len(c.Digits()) != 10 || !allDigits(c.Digits())) {
			t.Errorf("%q gives %q", s, c.Digits())
		}
	})
}
