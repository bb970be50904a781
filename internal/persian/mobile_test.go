package persian

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMobile(t *testing.T) {
	t.Parallel()
	parse := code(ParseMobile, Mobile.Local)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"09121234567", "09121234567", nil},
		{"9121234567", "09121234567", nil},
		{"989121234567", "09121234567", nil},
		{"00989121234567", "09121234567", nil},
		{"+989121234567", "09121234567", nil},
		{"+98 912 123 4567", "09121234567", nil},
		{"0912-123-4567", "09121234567", nil},
		{"۰۹۱۲۱۲۳۴۵۶۷", "09121234567", nil},
		{"+٩٨٩١٢١٢٣٤٥٦٧", "09121234567", nil},
		{"\u202a+98 912 123 4567\u202c", "09121234567", nil},
		{"9812345678", "09812345678", nil}, // a bare number that begins like the country code
		{"09812345678", "09812345678", nil},
		{"989812345678", "09812345678", nil},
		{"09701234567", "09701234567", nil}, // an unknown prefix
		{"0912123456", "", ErrForm},
		{"091212345678", "", ErrForm},
		{"02112345678", "", ErrForm},
		{"+98021234567", "", ErrForm},
		{"+9809121234567", "", ErrForm},
		{"+09121234567", "", ErrForm},
		{"+9121234567", "", ErrForm},
		{"0989121234567", "", ErrForm},
		{"+1 415 555 0100", "", ErrForm},
		{"912123456", "", ErrLength},
		{"000989121234567", "", ErrLength},
		{"++989121234567", "", ErrDigits},
		{"0912+1234567", "", ErrDigits},
		{"0912.123.4567", "", ErrDigits},
		{"tel:09121234567", "", ErrDigits},
	})
}

func TestMobileInternational(t *testing.T) {
	t.Parallel()
	if got := must(ParseMobile("09121234567")).International(); got != "+989121234567" {
		t.Errorf("got %q", got)
	}
}

func TestMobileOperator(t *testing.T) {
	t.Parallel()
	for prefixes, want := range map[string]string{
		"910 911 912 913 914 915 916 917 918 919 990 991 992 993 994 995 996": "همراه اول",
		"900 901 902 903 904 905 930 933 935 936 937 938 939 941":             "ایرانسل",
		"920 921 922 923 924": "رایتل",
		"932":                 "تالیا",
		"931 934":             "اپراتور منطقه\u200cای",
		"998":                 "شاتل موبایل",
		"999":                 "اپراتور مجازی",
		"906 909 925 929 940 942 950 960 970 980 989 997": "",
	} {
		for prefix := range strings.FieldsSeq(prefixes) {
			if got := must(ParseMobile("0" + prefix + "1234567")).Operator(); got != want {
				t.Errorf("the operator of %s is %q, want %q", prefix, got, want)
			}
		}
	}
}

// mobileForm is the published pattern, for the plain form of the input.
var mobileForm = regexp.MustCompile(`^(?:\+98|0098|98|0)?(9\d{9})$`)

func TestMobileAgreesWithPattern(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`(\+98|0098|98|0|\+|00)?[0-9]{8,12}`).Draw(t, "s")
		m, err := ParseMobile(s)
		match := mobileForm.FindStringSubmatch(s)
		if (err == nil) != (match != nil) {
			t.Fatalf("%q: %v, the pattern says %v", s, err, match != nil)
		}
		if err == nil && m.Local() != "0"+match[1] {
			t.Fatalf("%q reads as %q", s, m.Local())
		}
	})
}

func FuzzMobile(f *testing.F) {
	seed(f, "09121234567", "+989121234567", "00989121234567", "9812345678", "۰۹۱۲۱۲۳۴۵۶۷", "+98 (0) 912", "02112345678")
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s, ParseMobile, Mobile.Local)
		checkCode(t, s, ParseMobile, Mobile.International)
		m, err := ParseMobile(s)
		if err == nil && !strings.HasPrefix(m.Local(), "09") || err == nil && len(m.Local()) != 11 {
			t.Errorf("%q gives %q", s, m.Local())
		}
		if len(s) <= maxTyped && (err == nil) != mobileForm.MatchString(Compact(s)) {
			t.Errorf("%q: %v, the pattern says otherwise", s, err)
		}
	})
}
