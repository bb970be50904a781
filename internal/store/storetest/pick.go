package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
)

// pickedOut: what is due is looked through page by page, each batch once, and
// some of it is claimed, by one of many.
func pickedOut(t *testing.T, place Place) {
	now := time.Now().Truncate(time.Microsecond)
	s := Must(t, place, store.Options{Now: func() time.Time { return now }})
	Fund(t, s, 100_000)
	var want []int64
	for i := range 20 {
		due := now.Add(-time.Duration(20-i/3) * time.Second) // three of each moment
		want = append(want, sendNow(t, s, "c"+time.Duration(i).String(), "a0", 1, func(b *sms.Batch) {
			b.Priority, b.Due, b.At = sms.Bulk, due, due
		}))
	}
	sendNow(t, s, "other", "a0", 1)
	sendNow(t, s, "later", "a0", 1, func(b *sms.Batch) { b.Priority, b.Due = sms.Bulk, now.Add(time.Hour) })
	through := func() (seen []int64) {
		at := job.Job{Priority: int(sms.Bulk)}
		for {
			page, err := s.DueSends(t.Context(), at, 4)
			ok(t, err)
			if len(page) == 0 {
				return seen
			}
			for _, j := range page {
				seen = append(seen, j.Ref)
			}
			at = page[len(page)-1]
		}
	}
	if diff := cmp.Diff(want, through()); diff != "" {
		t.Error(diff)
	}
	wanted := append([]int64{1 << 40}, want[5:9]...)
	var taken [8][]job.Job
	for _, err := range Together(len(taken), func(i int) (err error) {
		taken[i], err = s.ClaimThese(t.Context(), "node", sms.Bulk, wanted, time.Minute)
		return err
	}) {
		ok(t, err)
	}
	times := map[int64]int{}
	for _, jobs := range taken {
		for _, j := range jobs {
			if times[j.Ref]++; j.Attempt != 1 || j.Lapsed || j.Priority != int(sms.Bulk) {
				t.Errorf("%+v", j)
			}
		}
	}
	if diff := cmp.Diff(map[int64]int{want[5]: 1, want[6]: 1, want[7]: 1, want[8]: 1}, times); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append(append([]int64{}, want[:5]...), want[9:]...), through()); diff != "" {
		t.Error(diff)
	}
	if _, err := s.ClaimThese(t.Context(), "", sms.Bulk, wanted, time.Minute); err == nil {
		t.Error("nobody claims")
	}
}
