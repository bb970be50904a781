package persian

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePlate(t *testing.T) {
	t.Parallel()
	for typed, want := range map[[4]string]string{
		{"12", "ب", "345", "67"}:         "12 ب 345 67",
		{"۱۲", "ب", "۳۴۵", "۶۷"}:         "12 ب 345 67",
		{"12", "الف", "345", "67"}:       "12 الف 345 67",
		{"12", "ا", "345", "67"}:         "12 الف 345 67",
		{"12", "آ", "345", "67"}:         "12 الف 345 67",
		{"12", "ي", "345", "67"}:         "12 ی 345 67",
		{"12", "هـ", "345", "67"}:        "12 ه 345 67",
		{"12", "ه\u200d", "345", "67"}:   "12 ه 345 67",
		{"12", "معلولین", "345", "67"}:   "12 ژ 345 67",
		{"12", " d ", "345", "67"}:       "12 D 345 67",
		{" 12", "گ", "3 45", "\u200f67"}: "12 گ 345 67",
	} {
		p, err := ParsePlate(typed[0], typed[1], typed[2], typed[3])
		if got := strings.Join([]string{p.Two(), p.Letter(), p.Three(), p.Region()}, " "); err != nil || got != want {
			t.Errorf("%q gives %q, %v; want %q", typed, got, err, want)
		}
	}
	for typed, want := range map[[4]string]error{
		{"1", "ب", "345", "67"}:                              ErrLength,
		{"12", "ب", "34", "67"}:                              ErrLength,
		{"12", "ب", "345", "678"}:                            ErrLength,
		{"1x", "ب", "345", "67"}:                             ErrDigits,
		{"12", "", "345", "67"}:                              ErrForm,
		{"12", "بب", "345", "67"}:                            ErrForm,
		{"12", "7", "345", "67"}:                             ErrForm,
		{"12", "\xff", "345", "67"}:                          ErrForm,
		{"12", strings.Repeat("\u0301", 1<<20), "345", "67"}: ErrForm,
	} {
		if p, err := ParsePlate(typed[0], typed[1], typed[2], typed[3]); !errors.Is(err, want) || !p.IsZero() {
			t.Errorf("%.20q gives %v, want %v", typed, err, want)
		}
	}
}

func FuzzPlate(f *testing.F) {
	f.Add("12", "ب", "345", "67")
	f.Add("۱۲", "الف", "۳۴۵", "۶۷")
	for _, s := range garbage {
		f.Add(s, s, s, s)
		f.Add("12", s, "345", "67")
	}
	f.Fuzz(func(t *testing.T, two, letter, three, region string) {
		p, err := ParsePlate(two, letter, three, region)
		if err != nil {
			if !p.IsZero() {
				t.Errorf("%q is refused with a plate", letter)
			}
			return
		}
		if back, err := ParsePlate(p.Two(), p.Letter(), p.Three(), p.Region()); err != nil || back != p {
			t.Errorf("%q %q %q %q reads back as another: %v", p.Two(), p.Letter(), p.Three(), p.Region(), err)
		}
		if p.String() != "***" {
			t.Errorf("the mask is %q", p.String())
		}
	})
}
