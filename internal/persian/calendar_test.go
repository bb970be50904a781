package persian

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// leapYears is the published list, 1300 to 1450; it is written out here so that
// the test does not lean on the formula it checks.
var leapYears = []int{
	1300, 1304, 1309, 1313, 1317, 1321, 1325, 1329, 1333, 1337, 1342, 1346, 1350,
	1354, 1358, 1362, 1366, 1370, 1375, 1379, 1383, 1387, 1391, 1395, 1399, 1403,
	1408, 1412, 1416, 1420, 1424, 1428, 1432, 1436, 1441, 1445, 1449,
}

// leapByResidue is the 33-year rule in its other wording.
func leapByResidue(year int) bool {
	return slices.Contains([]int{1, 5, 9, 13, 17, 22, 26, 30}, year%33)
}

func TestLeapYears1300To1450(t *testing.T) {
	t.Parallel()
	var got []int
	for year := 1300; year <= 1450; year++ {
		if Leap(year) {
			got = append(got, year)
		}
	}
	if diff := cmp.Diff(leapYears, got); diff != "" {
		t.Errorf("leap years (-want +got):\n%s", diff)
	}
}

func TestLeapAgreesWithResidues(t *testing.T) {
	t.Parallel()
	for year := 1; year <= 3000; year++ {
		if Leap(year) != leapByResidue(year) {
			t.Errorf("Leap(%d) = %v", year, Leap(year))
		}
	}
}

func TestDaysIn(t *testing.T) {
	t.Parallel()
	for month := 1; month <= 11; month++ {
		want := 31
		if month > 6 {
			want = 30
		}
		if got := DaysIn(1404, month); got != want {
			t.Errorf("DaysIn(1404, %d) = %d, want %d", month, got, want)
		}
	}
	for year, want := range map[int]int{1403: 30, 1404: 29, 1408: 30} {
		if got := DaysIn(year, 12); got != want {
			t.Errorf("DaysIn(%d, 12) = %d, want %d", year, got, want)
		}
	}
	for _, month := range []int{-1, 0, 13} {
		if got := DaysIn(1404, month); got != 0 {
			t.Errorf("DaysIn(1404, %d) = %d, want 0", month, got)
		}
	}
}

// TestEveryDay walks from 1300/01/01 = 1921-03-21 one day at a time to the end of
// 1500, with month lengths counted up and leap years taken from the list (the
// residues after it ends), and holds both directions against the walk.
func TestEveryDay(t *testing.T) {
	t.Parallel()
	day := time.Date(1921, 3, 21, 0, 0, 0, 0, Tehran)
	for year := 1300; year <= 1500; year++ {
		leap := slices.Contains(leapYears, year)
		if year > 1450 {
			leap = leapByResidue(year)
		}
		for month, days := range []int{31, 31, 31, 31, 31, 31, 30, 30, 30, 30, 30, 29} {
			if month == 11 && leap {
				days = 30
			}
			for d := 1; d <= days; d++ {
				want := Date{year, month + 1, d}
				checkDay(t, want, day)
				day = day.AddDate(0, 0, 1)
			}
		}
	}
}

func checkDay(t *testing.T, want Date, midnight time.Time) {
	t.Helper()
	if got := DateOf(midnight); got != want {
		t.Fatalf("DateOf(%v) = %v, want %v", midnight, got, want)
	}
	if got := DateOf(midnight.Add(24*time.Hour - 1)); got != want {
		t.Fatalf("DateOf(last moment of %v) = %v", want, got)
	}
	if got := want.Time(); !got.Equal(midnight) {
		t.Fatalf("%v.Time() = %v, want %v", want, got, midnight)
	}
}

func TestCalendarFarAway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.Int64Range(-5_000_000, 5_000_000).Draw(t, "days")
		d := fromDays(days)
		if d.Day < 1 || d.Day > DaysIn(d.Year, d.Month) {
			t.Fatalf("fromDays(%d) = %v, no day", days, d)
		}
		if got := d.days(); got != days {
			t.Fatalf("fromDays(%d) = %v, back %d", days, d, got)
		}
	})
}
