package persian

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDateVectors(t *testing.T) {
	t.Parallel()
	for jalali, gregorian := range map[string]string{
		"1300/01/01": "1921-03-21",
		"1342/12/30": "1964-03-20",
		"1357/11/22": "1979-02-11",
		"1372/11/02": "1994-01-22",
		"1375/12/30": "1997-03-20",
		"1376/01/01": "1997-03-21",
		"1399/12/30": "2021-03-20",
		"1400/01/01": "2021-03-21",
		"1403/12/30": "2025-03-20",
		"1404/01/01": "2025-03-21",
		"1404/12/29": "2026-03-20",
		"1405/01/01": "2026-03-21",
		"1408/12/30": "2030-03-20",
	} {
		d, err := ParseDate(jalali)
		if err != nil {
			t.Errorf("ParseDate(%q): %v", jalali, err)
			continue
		}
		if got := d.Time().Format(time.DateOnly); got != gregorian {
			t.Errorf("%s is %s, want %s", jalali, got, gregorian)
		}
		if got := d.String(); got != jalali {
			t.Errorf("%s prints as %s", jalali, got)
		}
		for _, s := range []string{jalali, gregorian, strings.ReplaceAll(gregorian, "-", "")} {
			if got, err := ParseAnyDate(s); err != nil || got != d {
				t.Errorf("ParseAnyDate(%q) = %v, %v; want %v", s, got, err, d)
			}
		}
	}
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	want := Date{1372, 11, 2}
	for _, s := range []string{
		"1372/11/02", "1372/11/2", "1372-11-02", "1372.11.02", `1372\11\02`, "13721102",
		"۱۳۷۲/۱۱/۰۲", "۱۳۷۲/۱۱/۲", "١٣٧٢/١١/٠٢", "۱۳۷۲١١02",
		" 1372/11/02 ", "1372 / 11 / 02", "\u00a01372/11/02\u00a0", "1372/11/02\r\n",
		"\u200f1372/11/02\u200f", "\u202a1372\u200e/11/02\u202c", "\ufeff1372/11/02", "1372\u200c/11/02",
		"1372\u201011\u201002", "1372–11–02",
	} {
		if got, err := ParseDate(s); err != nil || got != want {
			t.Errorf("ParseDate(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	if got, err := ParseDate("1403/1/9"); err != nil || got != (Date{1403, 1, 9}) {
		t.Errorf("unpadded month and day: %v, %v", got, err)
	}
}

func TestParseDateRefuses(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]error{
		"1404/12/30": ErrNoSuchDay, "1402/12/30": ErrNoSuchDay,
		"1403/12/31": ErrNoSuchDay, "1403/07/31": ErrNoSuchDay, "1403/01/32": ErrNoSuchDay,
		"1403/00/10": ErrNoSuchDay, "1403/13/01": ErrNoSuchDay, "1403/05/00": ErrNoSuchDay,
		"1350/00/00": ErrNoSuchDay, "13500000": ErrNoSuchDay, "13720731": ErrNoSuchDay,
		"1199/12/29": ErrYear, "1500/01/01": ErrYear, "0000/00/00": ErrYear, "1994-01-22": ErrYear,
		"":        ErrForm,
		"1372":    ErrForm,
		"1372/11": ErrForm, "1372/11/": ErrForm, "1372//02": ErrForm, "/11/02": ErrForm,
		"1372/11-02": ErrForm, "1372/11/02/": ErrForm, "/1372/11/02": ErrForm,
		"1372/011/02": ErrForm, "1372/11/002": ErrForm, "72/11/02": ErrForm, "02/11/1372": ErrForm,
		"13721102 10:00": ErrForm, "1372/11/02T00:00:00Z": ErrForm, "137211021": ErrForm, "1372112": ErrForm,
		"1372/-1/02": ErrForm, "-1372/1/02": ErrForm, "1372/+1/02": ErrForm, "1372/1a/02": ErrForm,
		"1372/11/0\x00": ErrForm, "1372/11/\xff2": ErrForm, "۱۳۷۲/بهمن/۲": ErrForm,
		"1372/11/02" + strings.Repeat(" ", 200): ErrForm,
		strings.Repeat("1", 1<<20):              ErrForm,
	} {
		got, err := ParseDate(s)
		if !errors.Is(err, want) || !got.IsZero() {
			t.Errorf("ParseDate(%.40q) = %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestParseAnyDate(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Date{
		"2024-03-20": {1403, 1, 1}, "2024/3/20": {1403, 1, 1}, "۲۰۲۴-۰۳-۲۰": {1403, 1, 1},
		"1403/01/01": {1403, 1, 1}, "2024-02-29": {1402, 12, 10},
		"1821-03-21": {1200, 1, 1}, "2121-03-20": {1499, 12, 29},
	} {
		if got, err := ParseAnyDate(s); err != nil || got != want {
			t.Errorf("ParseAnyDate(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for s, want := range map[string]error{
		"2023-02-29": ErrNoSuchDay, "2024-04-31": ErrNoSuchDay, "2024-13-01": ErrNoSuchDay,
		"2024-00-10": ErrNoSuchDay, "2024-01-00": ErrNoSuchDay, "1404/12/30": ErrNoSuchDay,
		"1821-03-20": ErrYear, "2121-03-21": ErrYear, "1699-01-01": ErrYear, "9999-12-31": ErrYear,
		"today": ErrForm,
	} {
		if got, err := ParseAnyDate(s); !errors.Is(err, want) || !got.IsZero() {
			t.Errorf("ParseAnyDate(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestParseBirthDate(t *testing.T) {
	t.Parallel()
	// 1403/12/30 in Tehran, and still the 19th of March in UTC.
	now := time.Date(2025, 3, 19, 20, 30, 0, 0, time.UTC)
	for s, want := range map[string]error{
		"1403/12/30": nil,
		"1404/01/01": ErrFuture,
		"1372/11/02": nil,
		"1274/01/01": nil, // 1273/12/30 is the limit, a day that 1273 does not have
		"1273/12/29": ErrTooOld,
		"1200/01/01": ErrTooOld,
		"1350/00/00": ErrNoSuchDay,
		"1994-01-22": ErrYear,
	} {
		got, err := ParseBirthDate(s, now)
		if !errors.Is(err, want) || (err == nil) == got.IsZero() {
			t.Errorf("ParseBirthDate(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestDateOfIsInTehran(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]Date{
		"2025-03-20T20:29:59Z":      {1403, 12, 30},
		"2025-03-20T20:30:00Z":      {1404, 1, 1},
		"2025-03-20T23:59:59-08:00": {1404, 1, 1},
		"2026-07-01T20:29:59Z":      {1405, 4, 10}, // no summer time
		"1969-12-31T20:29:59Z":      {1348, 10, 10},
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := DateOf(instant); got != want {
			t.Errorf("DateOf(%s) = %v, want %v", at, got, want)
		}
	}
}

func TestZeroDate(t *testing.T) {
	t.Parallel()
	var d Date
	if !d.IsZero() || !d.Time().IsZero() {
		t.Errorf("zero date: IsZero %v, Time %v", d.IsZero(), d.Time())
	}
	if (Date{1404, 1, 1}).IsZero() {
		t.Error("1404/01/01 is zero")
	}
}

func drawDate(t *rapid.T, name string) Date {
	first := Date{1200, 1, 1}
	return first.AddDays(rapid.IntRange(0, 300*365+72).Draw(t, name))
}

func TestDateProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, e := drawDate(t, "d"), drawDate(t, "e")
		for _, s := range []string{d.String(), ToPersianDigits(d.String()), strings.ReplaceAll(d.String(), "/", "")} {
			if back, err := ParseDate(s); err != nil || back != d {
				t.Fatalf("ParseDate(%q) = %v, %v; want %v", s, back, err, d)
			}
		}
		if back := DateOf(d.Time()); back != d {
			t.Fatalf("DateOf(%v.Time()) = %v", d, back)
		}
		if got, want := d.Compare(e), d.Time().Compare(e.Time()); got != want {
			t.Fatalf("%v.Compare(%v) = %d, want %d", d, e, got, want)
		}
		n := rapid.IntRange(-1000, 1000).Draw(t, "n")
		if back := d.AddDays(n).AddDays(-n); back != d {
			t.Fatalf("%v there and back by %d is %v", d, n, back)
		}
		if got := d.AddDays(n).Time().Sub(d.Time()); got != time.Duration(n)*24*time.Hour {
			t.Fatalf("%v plus %d days is %v away", d, n, got)
		}
	})
}

func FuzzDate(f *testing.F) {
	seed(f, "1372/11/02", "13721102", "۱۳۷۲/۱۱/۰۲", "1404/12/30", "2024-03-20", `1372\1\2`, "1372/00/00", "1372\u200f/1/1")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		checkParsedDate(t, s, d, err)
		either, errEither := ParseAnyDate(s)
		checkParsedDate(t, s, either, errEither)
		if err == nil && either != d {
			t.Errorf("ParseAnyDate(%q) = %v, ParseDate gives %v", s, either, d)
		}
		now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		if born, err := ParseBirthDate(s, now); err == nil && born != d {
			t.Errorf("ParseBirthDate(%q) = %v, ParseDate gives %v", s, born, d)
		}
	})
}

func checkParsedDate(t *testing.T, s string, d Date, err error) {
	t.Helper()
	if err != nil {
		if !d.IsZero() {
			t.Errorf("%q is refused with a date: %v", s, d)
		}
		checkErrorTellsNothing(t, s, err)
		return
	}
	if len(d.String()) != len("1372/11/02") {
		t.Errorf("%q gives %v", s, d)
	}
	if back, err := ParseDate(d.String()); err != nil || back != d {
		t.Errorf("%q gives %v, which reads as %v, %v", s, d, back, err)
	}
	if DateOf(d.Time()) != d {
		t.Errorf("%q gives %v, not the day of its own midnight", s, d)
	}
}
