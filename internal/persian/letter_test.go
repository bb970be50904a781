package persian

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestDigits(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                      "",
		"0123456789":            "0123456789",
		"۰۱۲۳۴۵۶۷۸۹":            "0123456789",
		"٠١٢٣٤٥٦٧٨٩":            "0123456789",
		"پلاک ۱۲ واحد ٣":        "پلاک 12 واحد 3",
		"٪٫ٯۺڰ":                 "٪٫ٯۺڰ", // the neighbours of both runs of digits
		"\xdb۱\xd9":             "\xdb1\xd9",
		"a\x00۹":                "a\x009",
		"０１":                    "０１",
		strings.Repeat("۴", 99): strings.Repeat("4", 99),
	} {
		if got := Digits(s); got != want {
			t.Errorf("Digits(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestToPersianDigits(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"": "", "0123456789": "۰۱۲۳۴۵۶۷۸۹", "٠٩": "۰۹", "۰۹": "۰۹", "علی 2": "علی ۲", "1372/11/02": "۱۳۷۲/۱۱/۰۲",
	} {
		if got := ToPersianDigits(s); got != want {
			t.Errorf("ToPersianDigits(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                          "",
		" \t\r\n\u00a0\u3000":       "",
		"  Ali Reza ":               "Ali Reza",
		"علي":                       "علی",
		"موسى":                      "موسی",
		"كريمي":                     "کریمی",
		"\u00a0سارا احمدی\u2003":    "سارا احمدی",
		"سارا\u00a0احمدی":           "سارا\u00a0احمدی",
		"کسب\u200cوکار":             "کسب\u200cوکار",
		"کسب\u200c\u200cوکار":       "کسب\u200cوکار",
		"کسب\u200c \u200cوکار":      "کسب وکار",
		"\u200cکسب\u200c":           "کسب",
		"\u200f\u202aعلی\u202c":     "علی",
		"\ufeffعلی\u200b\u200d":     "علی",
		"\u2067علی\u2069\u061c":     "علی",
		"پلاک ۱۲ و ٣":               "پلاک 12 و 3",
		"\ufecb\ufee0\ufef2":        "علی", // ain, lam, yeh as shapes
		"\ufdf2":                    "الله",
		"\ufefb":                    "لا",
		"ا\u0653":                   "آ",
		"ا\u200d\u0653":             "آ", // joined once the joiner is gone
		"ي\u0654":                   "ئ",
		"مسئله، مؤمن، ۀ ة أ إ":      "مسئله، مؤمن، ۀ ة أ إ",
		"رحمَن":                     "رحمَن",
		"x² ½ ﬁ":                    "x² ½ ﬁ", // only presentation forms meet NFKC
		"a\x00b":                    "a\x00b",
		"ab\xff":                    "ab\ufffd",
		"\xff\xfe":                  "\ufffd\ufffd",
		"  \u200e 12\u200c34\u200f": "12\u200c34",
	} {
		if got := Clean(s); got != want {
			t.Errorf("Clean(%q) = %+q, want %+q", s, got, want)
		}
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"123-456789-0":                         "1234567890",
		" ۱۲۳ ۴۵۶۷۸۹ ۰ ":                       "1234567890",
		"12345\u201367890":                     "1234567890",
		"12345\u221267890":                     "1234567890",
		"6037-7016 8909\u00a05443":             "6037701689095443",
		"IR82\u200c 0540":                      "IR820540",
		"+98\u202a912":                         "+98912",
		"12\n34\t5":                            "12345",
		"\u202e1\u202c":                        "1",
		"1_2":                                  "1_2",
		"1\x002":                               "1\x002",
		"---":                                  "",
		"\u0627-\u0653":                        "آ",
		"\u2010\u2011\u2012\u2013\u2014\u2015": "",
	} {
		if got := Compact(s); got != want {
			t.Errorf("Compact(%q) = %+q, want %+q", s, got, want)
		}
	}
}

func TestKeyJoinsSpellings(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"سیدعلی", "سید علی", "سيد علي", "سید\u200cعلی", "سیـــد علی", "سَیِّد عَلی", " سید\u00a0 علی ", "\u200fسید علی", "سید على"},
		{"کریمی", "كريمي", "ﻛﺮﻳﻤﻲ", "کريمى"},
		{"فاطمه", "فاطمة", "فاطمۀ", "فاطمه\u0654", "فاطمۀ\u200d"},
		{"احمد", "أحمد", "إحمد", "ٱحمد", "ا\u0654حمد", "ا \u0654حمد"},
		{"مومن", "مؤمن"},
		{"رضایی", "رضائی", "رضائي", "رضاي\u0654ی"},
		{"آذر", "ا\u0653ذر", "\ufe81ذر"},
		{"testuser1", "TestUser1", "TESTUSER۱", "test user ١", "ｔｅｓｔuser1", "test\u200buser1"},
		{"straße", "STRAßE"},
		{"ẖ", "H\u0331", "h\u0331"},
		{"é", "E\u0301", "E \u0301"},
		{"", " ", "\u200c", "ـ", "\ufeff"},
	} {
		for _, s := range same {
			if got, want := Key(s), Key(same[0]); got != want {
				t.Errorf("Key(%q) = %+q, Key(%q) = %+q", s, got, same[0], want)
			}
		}
	}
}

// TestEveryCharacterIsDoneInOne: a character of the basic plane, alone and between
// a letter and a hamza mark, comes out of Clean and of Key as it stays.
func TestEveryCharacterIsDoneInOne(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= 0xFFFF; r++ {
		for _, s := range []string{string(r), "ا" + string(r) + "\u0654"} {
			if got := Clean(s); Clean(got) != got {
				t.Errorf("Clean(%+q) = %+q, again %+q", s, got, Clean(got))
			}
			if got := Key(s); Key(got) != got {
				t.Errorf("Key(%+q) = %+q, again %+q", s, got, Key(got))
			}
		}
	}
}

func TestKeyPartsNames(t *testing.T) {
	t.Parallel()
	names := []string{"علی", "علیرضا", "آذر", "اذر", "سارا", "ساره", "رضا", "ali", "ali2", "ss", "ß"}
	seen := map[string]string{}
	for _, name := range names {
		if other, ok := seen[Key(name)]; ok {
			t.Errorf("%q and %q have one key", name, other)
		}
		seen[Key(name)] = name
	}
	if got := Key("علی"); got != "علی" {
		t.Errorf("the key of a plain name is %q", got)
	}
}

func TestDigitsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		plain := Digits(s)
		if got := Digits(ToPersianDigits(s)); got != plain {
			t.Fatalf("%q comes back as %q", plain, got)
		}
		if utf8.RuneCountInString(plain) != utf8.RuneCountInString(s) {
			t.Fatalf("Digits(%q) = %q has another length", s, plain)
		}
	})
}

// TestPlainTextIsFree is not parallel, since other tests' allocations would count.
func TestPlainTextIsFree(t *testing.T) {
	for _, s := range []string{"0012345679", "testuser", "سارا احمدی"} {
		for name, fold := range map[string]func(string) string{"Digits": Digits, "Clean": Clean} {
			if n := testing.AllocsPerRun(100, func() { fold(s) }); n != 0 {
				t.Errorf("%s(%q) allocates %v times", name, s, n)
			}
		}
	}
	for _, s := range []string{"0012345679", "testuser", "احمدی"} {
		if n := testing.AllocsPerRun(100, func() { Key(s); Compact(s) }); n != 0 {
			t.Errorf("Key and Compact of %q allocate %v times", s, n)
		}
	}
}

func FuzzClean(f *testing.F) {
	seed(f, "كسب\u200cو كار", "\ufefb\ufdfa", "ا\u200d\u0653", "ي\u0654", "۱۲۳", "\u200c\u200c", "a \u0301", strings.Repeat("\u0301", 80))
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if again := Clean(got); again != got {
			t.Errorf("Clean(%+q) = %+q, again %+q", s, got, again)
		}
		if !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) {
			t.Errorf("Clean(%+q) = %+q is not valid NFC", s, got)
		}
		if strings.TrimSpace(got) != got || strings.ContainsAny(got, "يىك۰۹٠٩\u200f\u200e\ufeff") {
			t.Errorf("Clean(%+q) = %+q is not clean", s, got)
		}
		if Digits(got) != got {
			t.Errorf("Clean(%+q) = %+q has native digits", s, got)
		}
	})
}

func FuzzCompact(f *testing.F) {
	seed(f, "123-456789-0", "۱۲۳ ۴۵۶", "IR82 0540", "ا-\u0653", "1\u20132")
	f.Fuzz(func(t *testing.T, s string) {
		got := Compact(s)
		if again := Compact(got); again != got {
			t.Errorf("Compact(%+q) = %+q, again %+q", s, got, again)
		}
		if strings.ContainsFunc(got, isBlankOrZWNJ) || strings.ContainsFunc(got, isHyphen) {
			t.Errorf("Compact(%+q) = %+q", s, got)
		}
	})
}

func FuzzKey(f *testing.F) {
	seed(f, "سيد علي", "H\u0331", "İstanbul", "\ufdfa", "ا \u0654", "ﬀ", "K", "e \u0301\u200c\u0301", "ǅ", "ϓ\u0301", strings.Repeat("\u0301", 80))
	f.Fuzz(func(t *testing.T, s string) {
		got := Key(s)
		if again := Key(got); again != got {
			t.Errorf("Key(%+q) = %+q, again %+q", s, got, again)
		}
		if Key(Clean(s)) != got {
			t.Errorf("Key(%+q) = %+q, after Clean %+q", s, got, Key(Clean(s)))
		}
		if strings.ContainsFunc(got, unicode.IsSpace) || strings.ContainsAny(got, "\u200c\u200dـيىكةۀأإٱؤئ") {
			t.Errorf("Key(%+q) = %+q", s, got)
		}
		if Digits(got) != got || !utf8.ValidString(got) {
			t.Errorf("Key(%+q) = %+q", s, got)
		}
	})
}

func FuzzDigits(f *testing.F) {
	seed(f, "۱۲۳", "٠٩\xdb", "\xd9\xdb۱")
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.NewReplacer("۰", "0", "۱", "1", "۲", "2", "۳", "3", "۴", "4", "۵", "5", "۶", "6", "۷", "7", "۸", "8", "۹", "9",
			"٠", "0", "١", "1", "٢", "2", "٣", "3", "٤", "4", "٥", "5", "٦", "6", "٧", "7", "٨", "8", "٩", "9").Replace(s)
		if got := Digits(s); got != want {
			t.Errorf("Digits(%q) = %q, want %q", s, got, want)
		}
		if got := Digits(ToPersianDigits(s)); got != want {
			t.Errorf("there and back, %q gives %q", s, got)
		}
	})
}
