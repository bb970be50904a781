package sabapayamak

import (
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/strict"
)

// most is how many rows an answer has at most, the newest ones; the provider's
// pages know no paging. batches has it for messages, each of which may have a
// hundred rows.
const (
	most    = 1000
	batches = 500
)

// The names that callers know the values of questions by.
const (
	fieldStart  = "StartDate"
	fieldEnd    = "EndDate"
	fieldNumber = "number"
	fieldCount  = "count"
)

// period is a part of time; the zero moments are no bounds. until is not in it.
type period struct{ from, until time.Time }

func (p period) isZero() bool { return p == period{} }

// decodePeriod reads the days from StartDate to EndDate, both in it. They are
// Jalali; a Gregorian year cannot be taken for one, and is read as what it is.
func decodePeriod(r *dialect.Request) (p period, err error) {
	fields, err := r.Query()
	if err != nil {
		return period{}, err
	}
	var bad []fault.Field
	day := func(name string, after int) time.Time {
		text := dateOf(fields, name)
		if text == "" {
			return time.Time{}
		}
		d, err := persian.ParseAnyDate(text)
		if err != nil {
			bad = append(bad, fault.Field{Name: name, Rule: fault.Date})
			return time.Time{}
		}
		return d.AddDays(after).Time()
	}
	p = period{from: day(fieldStart, 0), until: day(fieldEnd, 1)}
	if len(bad) > 0 {
		return period{}, fault.Bad(bad...)
	}
	return p, nil
}

// dateOf finds a date by its name. The provider's Node library leaves the equals
// sign out (README, "Dates"), so that the date is the end of a name.
func dateOf(fields strict.Fields, name string) string {
	if value, _ := fields.Get(name); value != "" {
		return value
	}
	for whole, value := range fields.All() {
		if value == "" && len(whole) > len(name) && strings.EqualFold(whole[:len(name)], name) {
			return whole[len(name):]
		}
	}
	return ""
}

// decodeCount reads how many rows are wanted, at the end of the path.
func decodeCount(r *dialect.Request) (int, error) {
	n, err := strconv.Atoi(persian.Clean(r.PathValue(fieldCount)))
	if err != nil || n < 1 || n > most {
		return 0, fault.Bad(fault.Field{Name: fieldCount, Rule: fault.Range, Min: 1, Max: most})
	}
	return n, nil
}

// decodeID reads the id of a message, at the end of the path. What is no id is
// nobody's.
func decodeID(r *dialect.Request) (int64, error) {
	id, err := strconv.ParseInt(persian.Clean(r.PathValue("id")), 10, 64)
	if err != nil || id < 1 {
		return 0, fault.New(fault.NotFound)
	}
	return id, nil
}

// moment is a time as answers have it: ISO 8601 without a zone, as the
// provider's platform writes its dates, in Tehran (README, "Dates").
func moment(t time.Time) string { return t.In(persian.Tehran).Format("2006-01-02T15:04:05") }
