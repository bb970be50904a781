package sms

import (
	"time"

	"dargah.dev/dargah/internal/persian"
)

// Hours are a part of each day in Tehran, in minutes from midnight: From is in
// it, To is not. Where To is before From it goes over midnight; the zero Hours,
// and all others whose ends are the same, are no time at all.
type Hours struct{ From, To int }

// has tells whether t is within, and if so when the hours end.
func (h Hours) has(t time.Time) (end time.Time, within bool) {
	local := t.In(persian.Tehran)
	minute := local.Hour()*60 + local.Minute()
	switch {
	case h.From <= h.To && (minute < h.From || minute >= h.To):
		return t, false
	case h.From > h.To && minute < h.From && minute >= h.To:
		return t, false
	}
	end = time.Date(local.Year(), local.Month(), local.Day(), 0, h.To, 0, 0, persian.Tehran)
	if !end.After(t) {
		end = end.AddDate(0, 0, 1)
	}
	return end, true
}

// loud is the first moment from t on that is in none of the hours; false where
// together they are the whole day.
func loud(t time.Time, all []Hours) (time.Time, bool) {
	for start := t; t.Sub(start) < 24*time.Hour; {
		quiet := false
		for _, h := range all {
			if end, within := h.has(t); within {
				t, quiet = end, true
			}
		}
		if !quiet {
			return t, true
		}
	}
	return t, false
}
