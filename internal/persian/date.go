package persian

import (
	"fmt"
	"strings"
	"time"
)

// Date is a day of the Jalali calendar, without a time or a zone. The zero Date
// is no day. Parsers and DateOf give only days that exist; whoever fills in the
// fields answers for that alone. A Date prints itself in full, so keep a birth
// date out of logs and errors.
type Date struct{ Year, Month, Day int }

// Tehran is the zone in which days begin and end: +03:30 all year, as it is since
// summer time was abolished in 1401. It is fixed and not read from zone data
// because hosts with old data still add an hour in summer, and because before
// 1401 one midnight each spring did not exist, so that a day could not be turned
// into a time and back. Instants of the summers before 1401 are therefore shown
// an hour early; Dargah keeps none.
var Tehran = time.FixedZone("+0330", tehranOffset)

const (
	tehranOffset = 3*3600 + 30*60 // seconds
	secondsADay  = 24 * 3600
	oldestAge    = 130 // years
)

// ParseDate reads a Jalali date written year first with /, -, . or \ between the
// parts (the same in both places), month and day with or without a leading zero,
// or as eight digits. The year has four digits, 1200 to 1499. It refuses with
// ErrForm, ErrYear or ErrNoSuchDay.
func ParseDate(s string) (Date, error) {
	d, err := dateParts(s)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Date{}, fmt.Errorf("date: %w", err)
	}
	return d, nil
}

// ParseAnyDate is ParseDate for text that may also be Gregorian (2024-03-20, in
// all the forms that ParseDate reads): a year of 1700 or later is taken so. The
// day must still fall into the Jalali years 1200 to 1499, that is 1821 to 2121.
func ParseAnyDate(s string) (Date, error) {
	d, err := dateParts(s)
	if err == nil && d.Year >= 1700 {
		d, err = fromGregorian(d.Year, d.Month, d.Day)
	}
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Date{}, fmt.Errorf("date: %w", err)
	}
	return d, nil
}

// ParseBirthDate is ParseDate for a day on which somebody alive at now may have
// been born: ErrFuture after today in Tehran, ErrTooOld more than 130 years ago.
func ParseBirthDate(s string, now time.Time) (Date, error) {
	d, err := ParseDate(s)
	if err != nil {
		return Date{}, fmt.Errorf("birth %w", err)
	}
	today := DateOf(now)
	if d.Compare(today) > 0 {
		return Date{}, fmt.Errorf("birth date: %w", ErrFuture)
	}
	// The limit may be a day that its year does not have; Compare does not mind.
	if d.Compare(Date{today.Year - oldestAge, today.Month, today.Day}) < 0 {
		return Date{}, fmt.Errorf("birth date: %w", ErrTooOld)
	}
	return d, nil
}

// DateOf is the day in Tehran at t.
func DateOf(t time.Time) Date {
	return fromDays(floorDiv(t.Unix()+tehranOffset, secondsADay))
}

// Time is the midnight in Tehran at which the day begins; the zero Time for the
// zero Date.
func (d Date) Time() time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return time.Unix(d.days()*secondsADay-tehranOffset, 0).In(Tehran)
}

// String is the date as 1372/11/02.
func (d Date) String() string {
	if d.Year < 0 || d.Year > 9999 || d.Month < 0 || d.Month > 99 || d.Day < 0 || d.Day > 99 {
		return fmt.Sprintf("%04d/%02d/%02d", d.Year, d.Month, d.Day) // no day of any calendar of ours
	}
	y, m, day := d.Year, d.Month, d.Day
	return string([]byte{
		digit(y / 1000), digit(y / 100), digit(y / 10), digit(y), '/', digit(m / 10), digit(m), '/', digit(day / 10), digit(day),
	})
}

// digit is the last digit of n.
func digit(n int) byte { return byte('0' + n%10) }

// Compare is -1 when d is before other, 1 when it is after, 0 on the same day.
func (d Date) Compare(other Date) int {
	switch {
	case d == other:
		return 0
	case d.Year != other.Year:
		return sign(d.Year - other.Year)
	case d.Month != other.Month:
		return sign(d.Month - other.Month)
	}
	return sign(d.Day - other.Day)
}

// IsZero reports whether d is no day at all.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays is the day n days after d, before it when n is negative.
func (d Date) AddDays(n int) Date { return fromDays(d.days() + int64(n)) }

// check refuses days that do not exist and years for which the leap rule was not
// held against the sky.
func (d Date) check() error {
	if d.Year < 1200 || d.Year > 1499 {
		return ErrYear
	}
	if d.Day < 1 || d.Day > DaysIn(d.Year, d.Month) {
		return ErrNoSuchDay
	}
	return nil
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// dateParts splits a typed date into its three numbers and does not look at
// their size.
func dateParts(s string) (Date, error) {
	if len(s) > maxTyped {
		return Date{}, ErrForm
	}
	s = strings.Map(dateRune, Clean(s))
	if len(s) == 8 && allDigits(s) {
		return Date{value(s[:4]), value(s[4:6]), value(s[6:])}, nil
	}
	if len(s) < 5 || !strings.ContainsRune(`/-.\`, rune(s[4])) {
		return Date{}, ErrForm
	}
	year, rest := s[:4], s[5:]
	at := strings.IndexByte(rest, s[4])
	if at < 1 || at > 2 {
		return Date{}, ErrForm
	}
	month, day := rest[:at], rest[at+1:]
	if len(day) < 1 || len(day) > 2 || !allDigits(year) || !allDigits(month) || !allDigits(day) {
		return Date{}, ErrForm
	}
	return Date{value(year), value(month), value(day)}, nil
}

// dateRune is Compact's treatment but for the hyphen, which parts a date.
func dateRune(r rune) rune {
	switch {
	case isHyphen(r):
		return '-'
	case isBlankOrZWNJ(r):
		return -1
	}
	return r
}

func fromGregorian(year, month, day int) (Date, error) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	// time.Date turns April 31 into May 1.
	if t.Month() != time.Month(month) || t.Day() != day {
		return Date{}, ErrNoSuchDay
	}
	return fromDays(floorDiv(t.Unix(), secondsADay)), nil
}
