package fault_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// campaign is messages that wait in a site's queue when its node starts, each
// to a number of its own.
type campaign struct {
	site  *site
	first int64 // id of the first message
	n     int
}

// mobileOf is the number of the i-th message, as 09….
func mobileOf(i int) string { return fmt.Sprintf("0912%07d", i) }

// perBatch is how many messages a call sends.
const perBatch = 50

// queue stores n messages, as calls of the first customer.
func (s *site) queue(t testing.TB, n int) *campaign {
	t.Helper()
	data, err := store.Open(t.Context(), s.location(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	c := &campaign{site: s, n: n}
	for from := 0; from < n; from += perBatch {
		some := min(perBatch, n-from)
		id, err := data.MessageIDs(t.Context(), some)
		if from == 0 {
			c.first = id
		}
		if err != nil || id != c.first+int64(from) {
			t.Fatalf("ids from %d on after %d from %d on: %v", id, from, c.first, err)
		}
		if err := data.Commit(t.Context(), calling(t, c.first, from, some)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// calling is the end of a call that sends the messages from the from-th on.
func calling(t testing.TB, first int64, from, n int) closing.Closing {
	t.Helper()
	now := time.Now().UTC()
	call := fmt.Sprintf("campaign-%d", from)
	b := &sms.Batch{
		ID: first + int64(from), Account: accountID(0), Call: call, At: now, Due: now, Expires: now.Add(time.Hour), Priority: sms.Bulk,
	}
	for i := range n {
		to, err := persian.ParseMobile(mobileOf(from + i))
		if err != nil {
			t.Fatal(err)
		}
		b.Messages = append(b.Messages, sms.Message{
			ID: b.ID + int64(i), Line: lineOf(0), Recipient: to, Text: "hello", Parts: 1, Price: price, StateAt: now,
		})
		b.Price += price
	}
	return closing.Closing{
		Record: audit.Record{
			Call: call, At: now, Dialect: "smsafzar", Service: "sms", Method: "POST /messages/send", Account: accountID(0),
			Peer: netip.MustParseAddr("192.0.2.7"), Outcome: audit.Answered, Price: b.Price,
		},
		Charge: ledger.Price{Account: accountID(0), Amount: b.Price},
		Batch:  b,
	}
}

// centre is a message centre, and what it was given.
type centre struct {
	*smpptest.Server
	mu    sync.Mutex
	taken map[string]int // by the recipient's digits
}

// reach makes the centre the site's only operator.
func (s *site) reach(c *smpptest.Server, more map[string]any) {
	settings := map[string]any{"name": "centre", "address": c.Address(), "systemId": "dargah", "window": 100}
	for key, value := range more {
		settings[key] = value
	}
	s.operators = []map[string]any{settings}
}

func startCentre(t testing.TB, o smpptest.Options) *centre {
	t.Helper()
	c := &centre{taken: map[string]int{}}
	answer := o.Answer
	o.Answer = func(p smpptest.Part) smpptest.Answer {
		a := smpptest.Answer{}
		if answer != nil {
			a = answer(p)
		}
		if a.Status == pdu.OK {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.taken[p.To.Digits]++
		}
		return a
	}
	c.Server = smpptest.Start(t, o)
	return c
}

// times is how often the i-th message was taken.
func (c *centre) times(i int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken["98"+mobileOf(i)[1:]]
}

// end waits until all messages have come to their end, or for no longer than
// is given, and stops the node.
func (c *campaign) end(t testing.TB, n *node, within time.Duration) {
	t.Helper()
	db := storetest.Behind(t, c.site.location())
	for from, tick := time.Now(), time.Tick(20*time.Millisecond); time.Since(from) < within; <-tick {
		var open int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM message WHERE state < $1`, int(sms.Delivered)).Scan(&open)
		if err == nil && open == 0 {
			break
		}
	}
	n.stop(t)
}

// judge compares what the centre was given with what the books say.
func (c *campaign) judge(t testing.TB, at *centre) (problems []string, twice int) {
	t.Helper()
	rows, err := storetest.Behind(t, c.site.location()).QueryContext(t.Context(), `SELECT id, state, doubt FROM message ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for ; rows.Next(); seen++ {
		var id, state, doubt int64
		if err := rows.Scan(&id, &state, &doubt); err != nil {
			t.Fatal(err)
		}
		switch times := at.times(int(id - c.first)); {
		case times == 0:
			problems = append(problems, fmt.Sprintf("LOST: message %d, in state %d, was never taken", id, state))
		case times > 1 && doubt == 0:
			problems = append(problems, fmt.Sprintf("DOUBLE: message %d was taken %d times, and is not marked", id, times))
		case times > 1:
			twice++
		}
		if state != int64(sms.Delivered) {
			problems = append(problems, fmt.Sprintf("UNMATCHED: message %d is in state %d", id, state))
		}
	}
	if err := rows.Err(); err != nil || seen != c.n {
		problems = append(problems, fmt.Sprintf("LOST: %d messages are in the books, not %d (%v)", seen, c.n, err))
	}
	return problems, twice
}

func delivered(p smpptest.Part, id string) []pdu.Message {
	return []pdu.Message{smpptest.Receipt(p, id, "DELIVRD")}
}

// TestDisconnects is SMS-2: a link that is cut again and again loses nothing,
// and what was sent twice is marked.
func TestDisconnects(t *testing.T) {
	t.Parallel()
	s := newSite(t, customer{balance: rich})
	must(t, s.disconnects(t, sized(600, 10_000), sized(6, 100)))
}

// TestDisconnectsControl: what is sent again without a mark must show.
func TestDisconnectsControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, customer{balance: rich}).lacking(t, "unmarked")
	mustCatch(t, "DOUBLE", s.disconnects(t, 600, 6))
}

func (s *site) disconnects(t *testing.T, messages, cuts int) (problems []string) {
	t.Helper()
	const window = 10
	c := s.queue(t, messages)
	every := uint64(messages / cuts)
	var cut atomic.Int64
	centre := startCentre(t, smpptest.Options{Receipts: delivered, Answer: func(p smpptest.Part) smpptest.Answer {
		if p.Arrived%every != 0 || cut.Load() == int64(cuts) {
			return smpptest.Answer{}
		}
		cut.Add(1)
		return smpptest.Answer{Silent: true, Drop: true} // it is taken, and nobody hears so
	}})
	s.reach(centre.Server, map[string]any{"window": window})
	n := s.start(t)
	c.end(t, n, patience+time.Duration(cuts)*time.Second)
	problems, twice := c.judge(t, centre)
	t.Logf("%d messages, %d cuts: %d taken twice, all marked", messages, cut.Load(), twice)
	if cut.Load() != int64(cuts) {
		problems = append(problems, fmt.Sprintf("the link was cut %d times, not %d", cut.Load(), cuts))
	}
	if twice > window*cuts {
		problems = append(problems, fmt.Sprintf("DOUBLE: %d were taken twice, and %d were under way at the cuts", twice, window*cuts))
	}
	return problems
}

// TestReceiptsFindTheirMessages is SMS-3: ids come back in other spellings,
// before the answer that names them, and after a restart.
func TestReceiptsFindTheirMessages(t *testing.T) {
	t.Parallel()
	s := newSite(t, customer{balance: rich})
	must(t, s.receipts(t, sized(200, 4000), patience))
}

// TestReceiptsFindTheirMessagesControl: ids that are compared as they come must
// show.
func TestReceiptsFindTheirMessagesControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, customer{balance: rich}).lacking(t, "literal")
	mustCatch(t, "UNMATCHED", s.receipts(t, 200, 10*time.Second))
}

// spellings are of an id in its receipt, by what it was in the answer.
var spellings = []struct{ answer, receipt string }{
	{"%d", "%d"}, {"%d", "%x"}, {"%d", "%X"}, {"%x", "%d"}, {"%X", "%x"}, {"%x", "%X"}, {"%d", "%020d"}, {"%010d", "%d"}, {"%08X", "%x"},
	{"m-%d-a", "M-%d-A"},
}

func (s *site) receipts(t *testing.T, messages int, within time.Duration) (problems []string) {
	t.Helper()
	c := s.queue(t, messages)
	var mu sync.Mutex
	var late []pdu.Message
	var centre *centre
	number := func(n uint64) uint64 { return 4_000_000_000 + n*977 }
	spelt := func(n uint64) string { return fmt.Sprintf(spellings[n%uint64(len(spellings))].answer, number(n)) }
	back := func(n uint64) string { return fmt.Sprintf(spellings[n%uint64(len(spellings))].receipt, number(n)) }
	centre = startCentre(t, smpptest.Options{
		ID: spelt,
		Answer: func(p smpptest.Part) smpptest.Answer {
			if p.Arrived%3 == 0 { // the receipt overtakes the answer
				centre.Bring(smpptest.Receipt(p, back(p.Arrived), "DELIVRD"))
			}
			return smpptest.Answer{}
		},
		Receipts: func(p smpptest.Part, _ string) []pdu.Message {
			r := smpptest.Receipt(p, back(p.Arrived), "DELIVRD")
			switch p.Arrived % 3 {
			case 0:
				return nil
			case 1:
				mu.Lock()
				defer mu.Unlock()
				late = append(late, r)
				return nil
			}
			return []pdu.Message{r}
		},
	})
	s.reach(centre.Server, map[string]any{"binds": 1})
	n := s.start(t)
	n.eventually(t, "everything is sent", within, func() bool {
		var open int
		err := storetest.Behind(t, s.location()).QueryRowContext(t.Context(), `SELECT count(*) FROM job`).Scan(&open)
		return err == nil && open == 0 && centre.Taken() >= uint64(messages)
	})
	n.stop(t)
	mu.Lock()
	centre.Bring(late...)
	mu.Unlock()
	stranger := smpptest.Part{At: time.Now()}
	stranger.To.Digits = "98" + mobileOf(0)[1:]
	centre.Bring(smpptest.Receipt(stranger, "nobody-knows-me", "DELIVRD"))
	n.start(t)
	n.ready(t)
	n.eventually(t, "the stranger is kept", within, func() bool { return s.strays(t) >= 1 })
	c.end(t, n, within)
	problems, _ = c.judge(t, centre)
	if strays := s.strays(t); strays != 1 {
		problems = append(problems, fmt.Sprintf("UNMATCHED: %d receipts are kept apart, and only one is of an unknown id", strays))
	}
	return problems
}

// strays is how many receipts belong to no message.
func (s *site) strays(t testing.TB) (n int) {
	t.Helper()
	if err := storetest.Behind(t, s.location()).QueryRowContext(t.Context(), `SELECT count(*) FROM stray`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually waits until it is so, or for no longer than is given.
func (n *node) eventually(t testing.TB, what string, within time.Duration, so func() bool) {
	t.Helper()
	for from, tick := time.Now(), time.Tick(20*time.Millisecond); time.Since(from) < within; <-tick {
		if so() {
			return
		}
	}
	t.Logf("it never came about: %s", what)
}

// TestAcknowledgedIsDurable is SMS-4: what a message centre was told is taken
// survives a kill -9 of the server.
func TestAcknowledgedIsDurable(t *testing.T) {
	t.Parallel()
	s := newSite(t, customer{balance: rich})
	must(t, s.acknowledged(t, sized(8, 50), patience))
}

// TestAcknowledgedIsDurableControl: an acknowledgement before the commit must
// show.
func TestAcknowledgedIsDurableControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, customer{balance: rich}).lacking(t, "trusting")
	mustCatch(t, "LOST", s.acknowledged(t, 20, 10*time.Second))
}

func (s *site) acknowledged(t *testing.T, kills int, within time.Duration) (problems []string) {
	t.Helper()
	const each = 40 // messages of phones in each life
	c := s.queue(t, kills*each)
	late := &hoard{}
	centre := startCentre(t, smpptest.Options{Receipts: late.keep})
	// So fast that each life sends some.
	s.reach(centre.Server, map[string]any{"partsPerSecond": 10 * each})
	n := s.newNode(t)
	for life := range kills {
		n.start(t)
		n.ready(t)
		centre.Bring(late.give(false)...)
		for i := range each {
			centre.Bring(smpptest.Incoming("98"+mobileOf(life*each + i)[1:], "98"+lineOf(0), 0, fmt.Appendf(nil, "number %d", life*each+i)))
		}
		<-time.After(time.Duration(rand.IntN(150)) * time.Millisecond)
		n.kill(t)
	}
	n.start(t)
	n.ready(t)
	centre.Bring(late.give(true)...)
	n.eventually(t, "all messages of phones are there", within, func() bool { return s.heard(t) >= kills*each })
	c.end(t, n, 2*time.Minute+within) // leases of the killed have to end
	if heard := s.heard(t); heard < kills*each {
		problems = append(problems, fmt.Sprintf("LOST: %d messages of phones came, and %d are there", kills*each, heard))
	}
	found, twice := c.judge(t, centre)
	t.Logf("%d kills, %d messages each way; %d taken twice, all marked", kills, kills*each, twice)
	return append(problems, found...)
}

// hoard is receipts that are not brought at once: every other one, so that many
// come together in a later life.
type hoard struct {
	mu   sync.Mutex
	late []pdu.Message
	over bool // none is kept any more
}

func (h *hoard) keep(p smpptest.Part, id string) []pdu.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || p.Arrived%2 == 0 {
		return delivered(p, id)
	}
	h.late = append(h.late, delivered(p, id)...)
	return nil
}

func (h *hoard) give(last bool) []pdu.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	late := h.late
	h.late, h.over = nil, last
	return late
}

// heard is how many phones' messages are in the inbox, those that came twice
// counted once.
func (s *site) heard(t testing.TB) (n int) {
	t.Helper()
	err := storetest.Behind(t, s.location()).QueryRowContext(t.Context(), `SELECT count(DISTINCT sender) FROM incoming`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestThrottled is SMS-5: a message centre that refuses every fifth part is not
// sent more than was agreed, and gets all of it.
func TestThrottled(t *testing.T) {
	t.Parallel()
	s := newSite(t, customer{balance: rich})
	must(t, s.throttled(t, sized(500, 10_000)))
}

// TestThrottledControl: a rate that is not kept must show.
func TestThrottledControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, customer{balance: rich}).lacking(t, "hurried")
	mustCatch(t, "OVER", s.throttled(t, 500))
}

func (s *site) throttled(t *testing.T, messages int) (problems []string) {
	t.Helper()
	const rate = 200
	c := s.queue(t, messages)
	var mu sync.Mutex
	var arrivals []time.Time
	centre := startCentre(t, smpptest.Options{Receipts: delivered, Answer: func(p smpptest.Part) smpptest.Answer {
		mu.Lock()
		defer mu.Unlock()
		arrivals = append(arrivals, p.At)
		if p.Arrived%5 == 0 {
			return smpptest.Answer{Status: pdu.Throttled}
		}
		return smpptest.Answer{}
	}})
	s.reach(centre.Server, map[string]any{"partsPerSecond": rate})
	n := s.start(t)
	c.end(t, n, patience+time.Duration(messages/rate)*2*time.Second)
	problems, twice := c.judge(t, centre)
	if twice > 0 {
		problems = append(problems, fmt.Sprintf("DOUBLE: %d messages were taken twice though nothing was in doubt", twice))
	}
	mu.Lock()
	defer mu.Unlock()
	// Parts may have been held up on their way and come together, by as much as
	// the bind makes up for and a busy machine adds.
	for i := rate + rate/2; i < len(arrivals); i++ {
		if arrivals[i].Sub(arrivals[i-rate-rate/2]) < time.Second {
			problems = append(problems, fmt.Sprintf("OVER: more than %d parts came within a second, and %d were agreed", rate+rate/2, rate))
			break
		}
	}
	took := arrivals[len(arrivals)-1].Sub(arrivals[0])
	t.Logf("%d parts at %d a second, a fifth refused: %d a second were sent", len(arrivals), rate, int(float64(len(arrivals))/took.Seconds()))
	return problems
}
