package persian

import (
	"errors"
	"strings"
	"testing"
)

// vector is one typed text and what a parser makes of it: want when err is nil.
type vector struct {
	typed string
	want  string
	err   error
}

// check runs the vectors through a parser that gives the canonical text.
func check(t *testing.T, parse func(string) (string, error), vectors []vector) {
	t.Helper()
	for _, v := range vectors {
		got, err := parse(v.typed)
		if !errors.Is(err, v.err) || got != v.want {
			t.Errorf("%.60q gives %q, %v; want %q, %v", v.typed, got, err, v.want, v.err)
		}
	}
}

// code turns a parser and the method that gives its text into one function.
func code[T any](parse func(string) (T, error), text func(T) string) func(string) (string, error) {
	return func(s string) (string, error) {
		v, err := parse(s)
		return text(v), err
	}
}

// refusedAlike are texts that no parser of digits takes.
var refusedAlike = []vector{
	{"", "", ErrLength},
	{" \u200f\u00a0", "", ErrLength},
	{"abc", "", ErrDigits},
	{"\x00", "", ErrDigits},
	{"0012345679\x00", "", ErrDigits},
	{"\xff\xfe\xfd", "", ErrDigits},
	{"001234567٫", "", ErrDigits},
	{"0012\u200d34567\u06599", "", ErrDigits},
	{"1e10", "", ErrDigits},
	{"１２３４５６７８９０", "", ErrDigits},
	{"0", "", ErrLength},
	{strings.Repeat("1", 64), "", ErrLength},
	{strings.Repeat("۱", 1<<20), "", ErrLength},
	{strings.Repeat("\u0301", 1<<20), "", ErrLength},
	{"0012345679" + strings.Repeat(" ", 200), "", ErrLength},
}

// garbage seeds every fuzz target.
var garbage = []string{
	"", " ", "\x00", "\xff", "\xdb", "\xd9\xa0", "\u200c", "\u200f\u202e", "\ufeff", "---", "abc", "۰", "۰۰۰۰۰۰۰۰۰۰", "0000000000",
	"1111111111", "٠١٢٣٤٥٦٧٨٩", "12\x0034", "\ufdfa", "a\u0301", "9223372036854775808", "-1", "+", "%s%d",
	strings.Repeat("9", 127), strings.Repeat("۹", 4096), strings.Repeat("\u0653", 64), strings.Repeat("\u200c", 1000),
}

func seed(f *testing.F, texts ...string) {
	f.Helper()
	for _, s := range append(texts, garbage...) {
		f.Add(s)
	}
}

// checkErrorTellsNothing: an error may be logged, so it must not quote. Four
// bytes and more of the input, as typed or made plain, count as a quotation,
// unless the text is part of our own words.
func checkErrorTellsNothing(t *testing.T, typed string, err error) {
	t.Helper()
	for _, s := range []string{typed, Compact(typed), Digits(typed)} {
		for i := 0; i+4 <= len(s) && i < 64; i++ {
			if strings.ContainsAny(s[i:i+4], "0123456789") && strings.Contains(err.Error(), s[i:i+4]) {
				t.Errorf("the error for %q quotes it: %v", typed, err)
				return
			}
		}
	}
}

// checkCode holds what every parser of a masked code promises, for any input.
func checkCode[T interface {
	comparable
	IsZero() bool
	String() string
}](t *testing.T, typed string, parse func(string) (T, error), text func(T) string) {
	t.Helper()
	got, err := parse(typed)
	if err != nil {
		if !got.IsZero() || text(got) != "" {
			t.Errorf("%q is refused (%v) with a value", typed, err)
		}
		checkErrorTellsNothing(t, typed, err)
		return
	}
	if got.IsZero() || len(typed) > maxTyped {
		t.Errorf("%q is accepted, zero %v", typed, got.IsZero())
	}
	back, err := parse(text(got))
	if err != nil || back != got {
		t.Errorf("%q gives %q, which reads as %q, %v", typed, text(got), text(back), err)
	}
	for _, s := range []string{ToPersianDigits(text(got)), "\u200f " + text(got) + "\u00a0"} {
		if back, err := parse(s); err != nil || back != got {
			t.Errorf("%q reads as %q, %v", s, text(back), err)
		}
	}
	checkMasked(t, got, text(got))
}
