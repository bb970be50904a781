package smpp_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// inbox is a sink in memory. Each value that it refuses once is in the channel
// all the same.
type inbox struct {
	lates    chan operator.Late
	receipts chan operator.Receipt
	arrivals chan operator.Arrival
	refuse   func() error
}

func newInbox() *inbox {
	return &inbox{lates: make(chan operator.Late, 1000), receipts: make(chan operator.Receipt, 20_000), arrivals: make(chan operator.Arrival, 1000)}
}

func (i *inbox) Late(_ context.Context, l operator.Late) error {
	i.lates <- l
	return i.verdict()
}

func (i *inbox) Receipt(_ context.Context, r operator.Receipt) error {
	i.receipts <- r
	return i.verdict()
}

func (i *inbox) Arrival(_ context.Context, a operator.Arrival) error {
	i.arrivals <- a
	return i.verdict()
}

func (i *inbox) verdict() error {
	if i.refuse != nil {
		return i.refuse()
	}
	return nil
}

// settings are of an operator on the server's address.
func settings(address string) smpp.Settings {
	return smpp.Settings{Name: "first", Address: address, SystemID: "dargah", Password: "secret08"}
}

// open starts an operator that is closed with the test, and waits until it is
// bound.
func open(t testing.TB, s smpp.Settings, sink operator.Sink) *smpp.Operator {
	t.Helper()
	o, err := smpp.New(s, sink, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = o.Close(ctx) // a test may have closed it, or its peer be gone
	})
	await(t, o.Ready)
	return o
}

// await polls, without a bound of its own: go test has one.
func await(t testing.TB, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the test is over")
		}
	}
}

func part(t testing.TB, text string) operator.Part {
	t.Helper()
	to, err := persian.ParseMobile("09120000000")
	if err != nil {
		t.Fatal(err)
	}
	return operator.Part{From: "30001234", To: to, Coding: sms.GSM7, Data: []byte(text), Number: 1, Total: 1}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	for _, bind := range []string{"transceiver", "pair"} {
		t.Run(bind, func(t *testing.T) {
			t.Parallel()
			server := smpptest.Start(t, smpptest.Options{
				SystemID: "dargah", Password: "secret08", Keep: true,
				ID: func(n uint64) string { return fmt.Sprintf("%08X", n+0xabc) },
				Receipts: func(p smpptest.Part, id string) []pdu.Message {
					return []pdu.Message{smpptest.Receipt(p, id, "DELIVRD")}
				},
			})
			sink := newInbox()
			s := settings(server.Address())
			s.Bind = bind
			o := open(t, s, sink)
			id, err := o.Submit(t.Context(), part(t, "salam"))
			if err != nil || id != "00000ABD" {
				t.Fatalf("%q, %v", id, err)
			}
			got := server.Parts()[0]
			if got.From != (pdu.Address{NPI: 1, Digits: "30001234"}) || got.To != (pdu.Address{TON: 1, NPI: 1, Digits: "989120000000"}) ||
				string(got.Text) != "salam" || got.Registered != 1 || got.Class != 0 {
				t.Errorf("%+v", got)
			}
			receipt := <-sink.receipts
			if receipt.Operator != "first" || receipt.ID != id || receipt.State != sms.Delivered || receipt.To != "989120000000" || receipt.Error != "000" {
				t.Errorf("%+v", receipt)
			}
			if err := o.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := o.Submit(t.Context(), part(t, "late")); !errors.Is(err, operator.ErrUnsent) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// Every part gets an answer, whatever the link does: taken, or in doubt, or not
// sent. What was said not to be sent, the message centre never had; what was
// said to be taken, it has.
func TestCuts(t *testing.T) {
	t.Parallel()
	const parts = 2000
	server := smpptest.Start(t, smpptest.Options{
		Keep: true,
		Answer: func(p smpptest.Part) smpptest.Answer {
			return smpptest.Answer{Silent: p.Arrived%40 == 0, Drop: p.Arrived%40 == 0 || p.Arrived%55 == 0}
		},
	})
	o := open(t, settings(server.Address()), newInbox())
	var mu sync.Mutex
	taken, doubt := map[string]bool{}, map[string]bool{}
	var all sync.WaitGroup
	work := make(chan string)
	for range 20 {
		all.Go(func() {
			for text := range work {
				for again := true; again; {
					_, err := o.Submit(t.Context(), part(t, text))
					mu.Lock()
					switch {
					case err == nil:
						taken[text], again = true, false
					case errors.Is(err, operator.ErrDoubt):
						doubt[text], again = true, false
					case !errors.Is(err, operator.ErrUnsent):
						t.Errorf("%v", err)
						again = false
					}
					mu.Unlock()
					if again {
						await(t, o.Ready)
					}
				}
			}
		})
	}
	for i := range parts {
		work <- fmt.Sprint(i)
	}
	close(work)
	all.Wait()
	had := map[string]int{}
	for _, p := range server.Parts() {
		had[string(p.Text)]++
	}
	for i := range parts {
		text := fmt.Sprint(i)
		if n := had[text]; n > 1 || n == 0 && !doubt[text] || taken[text] == doubt[text] {
			t.Errorf("part %s: had %d times, taken %v, in doubt %v", text, n, taken[text], doubt[text])
		}
	}
	if len(doubt) < parts/55 {
		t.Errorf("%d cuts and only %d in doubt: was anything cut?", server.Bound()-1, len(doubt))
	}
}

// Several binds share what is sent, and one that is left does not stop the
// others.
func TestBinds(t *testing.T) {
	t.Parallel()
	server := smpptest.Start(t, smpptest.Options{Answer: func(p smpptest.Part) smpptest.Answer {
		return smpptest.Answer{Drop: p.Arrived == 50}
	}})
	s := settings(server.Address())
	s.Binds, s.Bind = 3, "pair"
	o := open(t, s, newInbox())
	await(t, func() bool { return server.Bound() == 6 })
	if o.Window() != 30 {
		t.Errorf("window %d", o.Window())
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := o.Submit(t.Context(), part(t, "x")); err != nil && !errors.Is(err, operator.ErrDoubt) && !errors.Is(err, operator.ErrUnsent) {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	await(t, func() bool { return server.Bound() == 7 })
}
