package persian

// Leap reports whether the Jalali year has 366 days, by the rule of eight leap
// years in 33. By law the year follows the equinox; the rule agrees with the
// computed equinox in every year from 1200 to 1499. The better-known rule of
// 2820 years does not, 1403 being a case, and must not take its place.
func Leap(year int) bool { return floorMod(25*int64(year)+11, 33) < 8 }

// DaysIn is the number of days of a month, 29 to 31; 0 when month is not 1 to 12.
func DaysIn(year, month int) int {
	switch {
	case month < 1 || month > 12:
		return 0
	case month <= 6:
		return 31
	case month <= 11 || Leap(year):
		return 30
	}
	return 29
}

// In 33 years there are 33*365+8 days. The first day of a year is that many
// days after the first of year 0, in 33rds and rounded down; the 21 puts the
// leap years where Leap has them.
const (
	cycleYears = 33
	cycleDays  = 33*365 + 8
	cyclePhase = 21
)

// yearZero is the first day of the Jalali year 0, in days from 1970-01-01: what
// makes 1404/01/01 come out as 2025-03-21.
const yearZero = -492_633

// days counts from 1970-01-01.
func (d Date) days() int64 {
	month := int64(d.Month - 1)
	return firstDay(int64(d.Year)) + month*31 - max(0, month-6) + int64(d.Day-1)
}

func fromDays(days int64) Date {
	// The year is the last one whose first day is not after days: firstDay solved
	// for the year.
	year := floorDiv(cycleYears*(days-yearZero)+cycleYears-1-cyclePhase, cycleDays)
	rest := int(days - firstDay(year))
	if rest < 6*31 {
		return Date{int(year), rest/31 + 1, rest%31 + 1}
	}
	rest -= 6 * 31
	return Date{int(year), rest/30 + 7, rest%30 + 1}
}

func firstDay(year int64) int64 {
	return yearZero + floorDiv(cycleDays*year+cyclePhase, cycleYears)
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

func floorMod(a, b int64) int64 { return a - b*floorDiv(a, b) }
