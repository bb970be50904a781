package dispatch_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/dispatch"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// BenchmarkDrain sends what is in the durable queue to a message centre of this
// process, at a window of 100, until all results are recorded: one operation is
// one submit_sm. Receipts are not asked for.
func BenchmarkDrain(b *testing.B) {
	for _, each := range []int{100, 1} {
		b.Run(fmt.Sprintf("recipients=%d", each), func(b *testing.B) { drain(b, each) })
	}
}

// drain is of batches of so many messages.
func drain(b *testing.B, each int) {
	s, err := store.Open(b.Context(), store.Folder(b.TempDir()), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	storetest.Fund(b, s, 1_000_000_000)
	for i := 0; i < b.N; i += each {
		c := storetest.Sending(b, s, fmt.Sprintf("call-%d", i), "a0", min(each, b.N-i), bulk)
		if err := s.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	centre := smpptest.Start(b, smpptest.Options{})
	o, err := smpp.New(smpp.Settings{Name: "a", Address: centre.Address(), SystemID: "x", Window: 100, Receipts: "never"}, deaf{}, &event.Log{})
	if err != nil {
		b.Fatal(err)
	}
	for !o.Ready() {
		<-time.After(time.Millisecond)
	}
	d, err := dispatch.New(dispatch.Options{Store: s, Ways: []dispatch.Way{{Operator: o}}, Log: &event.Log{}})
	if err != nil {
		b.Fatal(err)
	}
	before := resident()
	b.ResetTimer()
	d.Start()
	for left := 1; left > 0; {
		<-time.After(10 * time.Millisecond)
		left = int(uint64(b.N) - centre.Taken()) //nolint:gosec // no more are sent than there are
	}
	if err := d.Drain(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submit_sm/s")
	b.ReportMetric(before, "MiB-before")
	b.ReportMetric(resident(), "MiB-after")
	if err := o.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	if got := centre.Taken(); got != uint64(b.N) {
		b.Errorf("%d of %d were taken", got, b.N)
	}
}

// deaf is for an operator that brings nothing.
type deaf struct{}

func (deaf) Late(context.Context, operator.Late) error       { return errRecord }
func (deaf) Receipt(context.Context, operator.Receipt) error { return errRecord }
func (deaf) Arrival(context.Context, operator.Arrival) error { return errRecord }

// resident is how much memory the process has, in MiB; 0 where the system does
// not tell.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 || runtime.GOOS != "linux" {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
