package audit_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/fault"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestTallyCountsBySourceAndMinute(t *testing.T) {
	t.Parallel()
	var tally audit.Tally
	add := func(at time.Time, peer string) {
		tally.Add(at, netip.MustParseAddr(peer), "uid", fault.Credentials)
	}
	add(noon, "192.0.2.1")
	add(noon.Add(59*time.Second), "::ffff:192.0.2.1")
	add(noon.Add(time.Minute), "192.0.2.1")
	add(noon, "2001:db8::1")
	add(noon, "2001:db8::ffff:2")
	counts := tally.Drain()
	minute := noon.Unix() / 60
	for kind, want := range map[audit.Garbage]int64{
		{Minute: minute, Peer: netip.MustParseAddr("192.0.2.1"), Dialect: "uid", Outcome: fault.Credentials}:     2,
		{Minute: minute + 1, Peer: netip.MustParseAddr("192.0.2.1"), Dialect: "uid", Outcome: fault.Credentials}: 1,
		{Minute: minute, Peer: netip.MustParseAddr("2001:db8::"), Dialect: "uid", Outcome: fault.Credentials}:    2,
	} {
		if counts[kind] != want {
			t.Errorf("%v: %d, want %d", kind, counts[kind], want)
		}
	}
	if len(tally.Drain()) != 0 {
		t.Error("what was drained is still there")
	}
}

// Whoever sends from ever new addresses must not fill the memory, and no call
// may be lost from the counts, not even when they cannot be written.
func TestTallyIsBoundedAndLosesNothing(t *testing.T) {
	t.Parallel()
	const calls = 25_000
	var tally audit.Tally
	for i := range uint32(calls) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], i)
		tally.Add(noon, netip.AddrFrom4(b), "uid", fault.Malformed)
		if i == calls/2 {
			tally.Restore(tally.Drain())
		}
	}
	counts := tally.Drain()
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	if total != calls || len(counts) > 10_001 {
		t.Errorf("%d calls in %d counts, want %d in at most 10001", total, len(counts), calls)
	}
}
