package persian

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseSeries(t *testing.T) {
	t.Parallel()
	check(t, code(ParseSeries, Series.Glued), []vector{
		{"ا۳۲", "ا۳۲", nil},
		{"الف/32", "ا۳۲", nil},
		{"الف | ۳۲", "ا۳۲", nil},
		{"الف۳۲", "ا۳۲", nil},
		{"الف-٣٢", "ا۳۲", nil},
		{"آ 32", "ا۳۲", nil},
		{"أ32", "ا۳۲", nil},
		{"\u200fا\u200e/32", "ا۳۲", nil},
		{"\ufe8d32", "ا۳۲", nil},
		{"ب۱۲", "ب۱۲", nil},
		{"ب 1", "ب۱", nil},
		{"ب05", "ب۰۵", nil},
		{"ك12", "ک۱۲", nil},
		{"ي12", "ی۱۲", nil},
		{"ا ب ج 12", "ابج۱۲", nil},
		{"", "", ErrForm},
		{"32", "", ErrForm},
		{"ا", "", ErrForm},
		{"الف", "", ErrForm},
		{"32ا", "", ErrForm},
		{"ا321", "", ErrForm},
		{"ا3ب2", "", ErrForm},
		{"ابجد12", "", ErrForm},
		{"a32", "", ErrForm},
		{"ا\x0032", "", ErrForm},
		{"\xff32", "", ErrForm},
		{"؟32", "", ErrForm},
		{"ا" + strings.Repeat("1", 1<<20), "", ErrForm},
	})
}

func TestSeriesParts(t *testing.T) {
	t.Parallel()
	s := must(ParseSeries("الف/۳۲"))
	if s.Letter() != "ا" || s.Number() != "32" || s.String() != "ا۳۲" || s.IsZero() {
		t.Errorf("letter %q, number %q, %v, zero %v", s.Letter(), s.Number(), s, s.IsZero())
	}
	if s != must(ParseSeries("ا۳۲")) {
		t.Error("two spellings of one series differ")
	}
	if !(Series{}).IsZero() || (Series{}).Glued() != "" {
		t.Error("the zero series is not empty")
	}
}

func TestParseSerial(t *testing.T) {
	t.Parallel()
	check(t, ParseSerial, refusedAlike)
	check(t, ParseSerial, []vector{
		{"543422", "543422", nil},
		{"۵۴۳۴۲۲", "543422", nil},
		{" 543-422 ", "543422", nil},
		{"000000", "000000", nil},
		{"54342", "", ErrLength},
		{"5434220", "", ErrLength},
		{"54342ا", "", ErrDigits},
	})
}

func TestSeriesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letter := rapid.StringOfN(rapid.RuneFrom([]rune("ابپتثجچدرزسشصطعفقکگلمنوهی")), 1, 3, -1).
			Filter(func(s string) bool { return s != "الف" }).Draw(t, "letter")
		number := rapid.StringMatching(`[0-9]{1,2}`).Draw(t, "number")
		separator := rapid.SampledFrom([]string{"", "/", " | ", "-", "\\", ".", "\u200c"}).Draw(t, "separator")
		s, err := ParseSeries(letter + separator + number)
		if err != nil || s.Letter() != letter || s.Number() != number {
			t.Fatalf("%q %q gives %q %q, %v", letter, number, s.Letter(), s.Number(), err)
		}
		if back, err := ParseSeries(s.Glued()); err != nil || back != s {
			t.Fatalf("%q reads as %q, %v", s.Glued(), back.Glued(), err)
		}
	})
}

func FuzzSeries(f *testing.F) {
	seed(f, "ا۳۲", "الف/32", "الف | ۳۲", "آ1", "ابج99", "32ا")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseSeries(s)
		if err != nil {
			if !got.IsZero() {
				t.Errorf("%q is refused with %q", s, got.Glued())
			}
			checkErrorTellsNothing(t, s, err)
			return
		}
		if back, err := ParseSeries(got.Glued()); err != nil || back != got {
			t.Errorf("%q gives %q, which reads as %q, %v", s, got.Glued(), back.Glued(), err)
		}
	})
}

func FuzzSerial(f *testing.F) {
	seed(f, "543422", "۵۴۳۴۲۲")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseSerial(s)
		if err != nil {
			checkErrorTellsNothing(t, s, err)
			return
		}
		if back, err := ParseSerial(got); err != nil || back != got || len(got) != 6 {
			t.Errorf("%q gives %q, %v", s, got, err)
		}
	})
}
