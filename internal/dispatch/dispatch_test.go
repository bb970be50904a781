package dispatch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/dispatch"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store/storetest"
)

func bulk(b *sms.Batch)   { b.Priority = sms.Bulk }
func normal(b *sms.Batch) { b.Priority = sms.Normal }
func urgent(b *sms.Batch) { b.Priority = sms.Urgent }
func once(b *sms.Batch)   { b.Once = true }

// long makes every message one of three parts.
func long(b *sms.Batch) {
	for i := range b.Messages {
		b.Messages[i].Text, b.Messages[i].Parts = strings.Repeat("س", 150), 3
	}
}

func TestUrgentNeverWaitsBehindACampaign(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gate := make(chan struct{})
	o := operatorOf("a", func(n int, _ operator.Part) error {
		if n == 0 {
			<-gate
		}
		return nil
	})
	o.window = 1
	campaign := r.sends(200, bulk)
	d := r.start(over(o)...)
	r.eventually("the campaign has begun", func() bool { return len(o.parts()) == 1 })
	normal := r.sends(1)
	r.eventually("the message is in memory", func() bool { return d.Waiting(sms.Normal) == 1 })
	code := r.sends(1, urgent)
	r.eventually("the code is in memory", func() bool { return d.Waiting(sms.Urgent) == 1 })
	close(gate)
	r.settled(sms.Submitted, campaign, normal, code)
	seen := o.parts()
	if seen[1].Message != code || !seen[1].Urgent || seen[2].Message != normal || seen[2].Urgent {
		t.Errorf("after the first came %d and %d, not the code %d and the message %d", seen[1].Message, seen[2].Message, code, normal)
	}
	if len(seen) != 202 {
		t.Errorf("%d parts", len(seen))
	}
}

// A campaign that fills the memory leaves room for what goes before it.
func TestRoomIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gate := make(chan struct{})
	o := operatorOf("a", func(int, operator.Part) error { <-gate; return nil })
	o.window = 1
	var campaign []int64
	for range 9 {
		campaign = append(campaign, r.sends(1000, bulk, free))
	}
	d := r.start(over(o)...)
	r.eventually("the campaign waits in memory", func() bool { return d.Waiting(sms.Bulk) >= 3000 })
	code := r.sends(1, urgent)
	r.eventually("the code is in memory", func() bool { return d.Waiting(sms.Urgent) == 1 })
	if n := d.Waiting(sms.Bulk); n == 9000 {
		t.Error("the whole campaign is in memory")
	}
	close(gate)
	r.settled(sms.Submitted, code)
	r.settled(sms.Submitted, campaign...)
}

func free(b *sms.Batch) {
	for i := range b.Messages {
		b.Messages[i].Price = 0
	}
}

func TestWhatOneCannotSendAnotherDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		away bool
	}{
		{"unsent", operator.ErrUnsent, true},
		{"throttled", operator.ErrThrottled, true},
		{"refused for now", &operator.Rejected{Status: 8, Temporary: true}, false},
		{"refused for good", &operator.Rejected{Status: 11}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var first *scripted
			first = operatorOf("first", func(int, operator.Part) error {
				first.turn(!c.away)
				return c.err
			})
			second := operatorOf("second", nil)
			id := r.sends(20)
			r.start(over(first, second)...)
			r.settled(sms.Submitted, id)
			for _, m := range r.batch(id).Messages {
				if m.Operator != "second" || m.Doubt || second.accepted[spot(m.ID, 1)] != 1 {
					t.Errorf("%d went over %q, in doubt %v, %d times", m.ID, m.Operator, m.Doubt, second.accepted[spot(m.ID, 1)])
				}
			}
			r.balance(9800)
		})
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	line, prefix, rest := operatorOf("line", nil), operatorOf("prefix", nil), operatorOf("rest", nil)
	prefixed := storetest.Mobile(1).Local()[:6]
	id := r.sends(3, func(b *sms.Batch) { b.Messages[0].Line = "+98 50005" })
	r.start(
		dispatch.Way{Operator: line, Lines: []string{"50005"}},
		dispatch.Way{Operator: prefix, Prefixes: []string{storetest.Mobile(1).Local()}},
		dispatch.Way{Operator: rest},
	)
	r.settled(sms.Submitted, id)
	var got []string
	for _, m := range r.batch(id).Messages {
		got = append(got, m.Operator)
	}
	if diff := cmp.Diff([]string{"line", "prefix", "rest"}, got); diff != "" {
		t.Errorf("%s (the prefix is %s)", diff, prefixed)
	}
}

func TestRefusedByAllIsPaidBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	refuse := func(int, operator.Part) error { return &operator.Rejected{Status: 11} }
	a, b := operatorOf("a", refuse), operatorOf("b", refuse)
	id := r.sends(3)
	r.start(over(a, b)...)
	r.settled(sms.Failed, id)
	r.balance(10_000)
	if len(a.parts()) != 3 || len(b.parts()) != 3 {
		t.Errorf("%d and %d parts", len(a.parts()), len(b.parts()))
	}
	storetest.Even(t, r.store)
}

func TestRefusedForNowIsTriedLater(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := operatorOf("a", func(n int, _ operator.Part) error {
		if n < 3 {
			return &operator.Rejected{Status: 8, Temporary: true}
		}
		return nil
	})
	id := r.sends(1)
	r.start(over(o)...)
	for n := 1; n <= 3; n++ {
		r.eventually("it was tried", func() bool { return len(o.parts()) >= n })
		if n < 3 && r.batch(id).Messages[0].State != sms.Queued {
			t.Error("it is not queued any more")
		}
		r.clock.advance(time.Minute / 2)
	}
	r.settled(sms.Submitted, id)
	if m := r.batch(id).Messages[0]; m.Doubt {
		t.Error("it is in doubt")
	}
}

func TestExpiredIsPaidBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := operatorOf("a", nil)
	o.turn(false)
	id := r.sends(2, long)
	r.start(over(o)...)
	r.clock.advance(2 * time.Hour)
	r.settled(sms.Failed, id)
	r.balance(10_000)
	if len(o.parts()) != 0 {
		t.Error("something was handed over")
	}
}

func TestNoWayTakesIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := operatorOf("a", nil)
	id := r.sends(1)
	other := r.sends(1, func(b *sms.Batch) { b.Messages[0].Line = "50005" })
	r.start(dispatch.Way{Operator: o, Lines: []string{"50005"}})
	r.settled(sms.Submitted, other)
	if m := r.batch(id).Messages[0]; m.State != sms.Queued {
		t.Errorf("state %d", m.State)
	}
	r.clock.advance(2 * time.Hour)
	r.settled(sms.Failed, id)
	r.balance(9990)
}

// A process without any way out pays back what is worth nothing any more, and
// leaves all else to those that have one.
func TestWithoutWays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var over []int64
	for range 3 {
		over = append(over, r.sends(2), r.sends(2, bulk))
	}
	waits := r.sends(1, func(b *sms.Batch) { b.Expires = b.Expires.Add(4 * time.Hour) })
	r.start()
	r.clock.advance(2 * time.Hour)
	r.settled(sms.Failed, over...)
	r.balance(9990)
	if m := r.batch(waits).Messages[0]; m.State != sms.Queued {
		t.Errorf("state %d", m.State)
	}
	due, err := r.store.DueSends(t.Context(), job.Job{Priority: int(sms.Normal)}, 9)
	if err != nil || len(due) != 1 || due[0].Ref != waits || due[0].Due.After(r.clock.now().Add(-time.Hour)) {
		t.Errorf("%v in the queue, %v", due, err)
	}
}

// The parts of a long message go to whoever took the first of them, even where
// another is there and they are not.
func TestLongMessageStaysWithItsWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var first *scripted
	first = operatorOf("first", func(n int, _ operator.Part) error {
		if n == 1 {
			first.turn(false)
			return operator.ErrUnsent
		}
		return nil
	})
	second := operatorOf("second", nil)
	id := r.sends(1, long)
	r.start(over(first, second)...)
	r.eventually("the first is away", func() bool { return !first.Ready() })
	other := r.sends(1)
	r.settled(sms.Submitted, other)
	first.turn(true)
	r.settled(sms.Submitted, id)
	m := r.batch(id).Messages[0]
	if m.Operator != "first" || m.Doubt || len(second.parts()) != 1 {
		t.Errorf("over %q, in doubt %v, and the second had %d parts", m.Operator, m.Doubt, len(second.parts()))
	}
	var reference uint16
	var places []int
	for _, p := range first.parts() {
		if reference == 0 {
			reference = p.Reference
		}
		if p.Reference != reference || p.Reference == 0 || p.Total != 3 {
			t.Errorf("reference %d of %d, %d in all", p.Reference, reference, p.Total)
		}
		places = append(places, p.Number)
	}
	if diff := cmp.Diff([]int{1, 2, 2, 3}, places); diff != "" {
		t.Error(diff)
	}
}

func TestLaterPartRefusedIsPaidFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := operatorOf("first", func(_ int, p operator.Part) error {
		if p.Number == 2 {
			return &operator.Rejected{Status: 11}
		}
		return nil
	})
	second := operatorOf("second", nil)
	id := r.sends(1, long)
	r.start(over(first, second)...)
	r.settled(sms.Rejected, id)
	r.balance(9990)
	if len(second.parts()) != 0 {
		t.Error("another operator was handed parts of it")
	}
}

func TestDoubtIsSentAgainAndMarked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := operatorOf("a", func(n int, _ operator.Part) error {
		if n == 0 {
			return operator.ErrDoubt
		}
		return nil
	})
	id := r.sends(1)
	r.start(over(o)...)
	r.settled(sms.Submitted, id)
	seen := o.parts()
	if len(seen) != 2 || seen[0].Again || !seen[1].Again {
		t.Errorf("%d parts", len(seen))
	}
	if !r.batch(id).Messages[0].Doubt {
		t.Error("it is not marked")
	}
}

func TestOnceIsNotSentAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := operatorOf("a", func(int, operator.Part) error { return operator.ErrDoubt })
	id := r.sends(1, once)
	r.start(over(o)...)
	r.settled(sms.Unknown, id)
	if len(o.parts()) != 1 {
		t.Errorf("%d parts", len(o.parts()))
	}
	r.balance(9990)
}

func TestScheduled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := operatorOf("a", nil)
	id := r.sends(1, func(b *sms.Batch) { b.Due, b.Expires = b.Due.Add(time.Hour), b.Expires.Add(time.Hour) })
	now := r.sends(1)
	r.start(over(o)...)
	r.settled(sms.Submitted, now)
	if len(o.parts()) != 1 {
		t.Fatal("it was sent before its time")
	}
	r.clock.advance(time.Hour)
	r.settled(sms.Submitted, id)
	b := r.batch(id)
	if b.Messages[0].SentAt.Before(b.Due) {
		t.Error("it was sent before its time")
	}
	t.Logf("sent %v after its time", b.Messages[0].SentAt.Sub(b.Due))
}

// A process dies after operators have accepted messages and before that is
// recorded: the next sends them again, and marks them.
func TestCrash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dying, next := operatorOf("a", nil), operatorOf("a", nil)
	id, single := r.sends(5), r.sends(1, once)
	d := r.run(forgetful{r.store}, over(dying)...)
	r.eventually("all were accepted", func() bool { return len(dying.parts()) == 6 })
	if err := d.Drain(t.Context()); err == nil {
		t.Fatal("nothing was recorded, and nobody says so")
	}
	r.start(over(next)...)
	later := r.sends(1)
	r.settled(sms.Submitted, later)
	if len(next.parts()) != 1 {
		t.Fatal("somebody else's batch was taken before its lease ended")
	}
	r.clock.advance(time.Minute)
	r.settled(sms.Submitted, id)
	r.settled(sms.Unknown, single)
	for _, m := range r.batch(id).Messages {
		if !m.Doubt {
			t.Errorf("%d is not marked", m.ID)
		}
	}
	for _, p := range next.parts()[1:] {
		if !p.Again || p.Message == single {
			t.Errorf("%d was sent as if for the first time", p.Message)
		}
	}
}

// What is not sent at the end is somebody else's at once, and not in doubt.
func TestDrainGivesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gate := make(chan struct{})
	leaving, next := operatorOf("a", func(int, operator.Part) error { <-gate; return nil }), operatorOf("a", nil)
	id := r.sends(50)
	d := r.run(r.store, over(leaving)...)
	r.eventually("some are under way", func() bool { return len(leaving.parts()) == leaving.window })
	drained := make(chan struct{})
	go func() { r.drain(d); close(drained) }()
	r.eventually("nothing more is taken", func() bool { return d.Waiting(sms.Normal) == 0 })
	close(gate)
	<-drained
	began := len(leaving.parts())
	if began == 50 {
		t.Fatal("all were sent: the test shows nothing")
	}
	r.start(over(next)...)
	r.settled(sms.Submitted, id)
	for _, m := range r.batch(id).Messages {
		if m.Doubt || leaving.accepted[spot(m.ID, 1)]+next.accepted[spot(m.ID, 1)] != 1 {
			t.Errorf("%d: in doubt %v, accepted %d and %d times", m.ID, m.Doubt, leaving.accepted[spot(m.ID, 1)], next.accepted[spot(m.ID, 1)])
		}
	}
	r.balance(9500)
}

// TestAnythingMayHappen has three operators answer at random, and looks for a
// message that is lost, sent twice without a mark, or sent by two.
func TestAnythingMayHappen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	outcomes := []error{
		nil, nil, nil, nil, operator.ErrUnsent, operator.ErrThrottled, operator.ErrDoubt,
		&operator.Rejected{Status: 8, Temporary: true}, &operator.Rejected{Status: 11},
	}
	answer := func(seed int) func(int, operator.Part) error {
		return func(n int, p operator.Part) error {
			return outcomes[(n*7+seed*13+int(p.Message)*31+p.Number*5)%len(outcomes)]
		}
	}
	all := []*scripted{operatorOf("a", answer(1)), operatorOf("b", answer(2)), operatorOf("c", answer(3))}
	var ids []int64
	for i := range 30 {
		ids = append(ids, r.sends(10, func(b *sms.Batch) {
			b.Priority = sms.Priority(i % 3)
			b.Once = i%4 == 0
			if i%2 == 0 {
				long(b)
			}
		}))
	}
	r.start(over(all...)...)
	r.eventually("every message has come to an end", func() bool {
		r.clock.advance(20 * time.Millisecond)
		for _, id := range ids {
			for _, m := range r.batch(id).Messages {
				if m.State == sms.Queued {
					return false
				}
			}
		}
		return true
	})
	failed := 0
	for _, id := range ids {
		for _, m := range r.batch(id).Messages {
			if m.State == sms.Failed {
				failed++
			}
			if problem := judged(m, all); problem != "" {
				t.Errorf("%d in state %d over %q, in doubt %v: %s", m.ID, m.State, m.Operator, m.Doubt, problem)
			}
		}
	}
	r.balance(10_000 - int64(300-failed)*10)
	storetest.Even(t, r.store)
}

// judged says what is wrong with where a message went; nothing where all is
// well.
func judged(m sms.Message, all []*scripted) string {
	takers, twice, missing := 0, false, false
	for _, o := range all {
		some := false
		for place := range m.Parts {
			n := o.accepted[spot(m.ID, place+1)]
			some, twice = some || n > 0, twice || n > 1
			missing = missing || n == 0 && o.name == m.Operator && m.State == sms.Submitted
		}
		if some {
			takers++
		}
	}
	switch {
	case missing:
		return "a part is missing"
	case (takers > 1 || twice) && !m.Doubt:
		return "it was accepted twice, and is not marked"
	case m.State == sms.Failed && takers > 0:
		return "it was accepted, and paid back"
	case m.State == sms.Submitted && takers == 0:
		return "nobody has it"
	}
	return ""
}
