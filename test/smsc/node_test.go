package smsc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// inbox is a sink in memory.
type inbox struct {
	receipts chan operator.Receipt
	arrivals chan operator.Arrival
}

func newInbox() inbox {
	return inbox{make(chan operator.Receipt, 100), make(chan operator.Arrival, 100)}
}

func (inbox) Late(context.Context, operator.Late) error             { return nil }
func (i inbox) Receipt(_ context.Context, r operator.Receipt) error { i.receipts <- r; return nil }
func (i inbox) Arrival(_ context.Context, a operator.Arrival) error { i.arrivals <- a; return nil }

func settings(address string) smpp.Settings {
	return smpp.Settings{Name: "node", Address: address, SystemID: "dargah", Password: "secret08"}
}

// bind starts an operator that is closed with the test, and waits for its bind.
func bind(t *testing.T, s smpp.Settings, sink operator.Sink) *smpp.Operator {
	t.Helper()
	o, err := smpp.New(s, sink, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeOperator(t, o) })
	await(t, o.Ready)
	return o
}

func closeOperator(t *testing.T, o *smpp.Operator) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := o.Close(ctx); err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		<-tick.C
	}
}

// parts cuts a text as a dispatcher does.
func parts(t *testing.T, text string) (all []operator.Part) {
	t.Helper()
	to, err := persian.ParseMobile("09120000000")
	if err != nil {
		t.Fatal(err)
	}
	coding, data := sms.Split(text)
	for i, d := range data {
		all = append(all, operator.Part{
			From: "30001234", To: to, Coding: coding, Data: d, Reference: 0x1a7, Number: i + 1, Total: len(data),
			Expires: time.Date(2026, 12, 1, 10, 20, 30, 0, time.UTC), Urgent: true,
		})
	}
	return all
}

func submit(t *testing.T, o *smpp.Operator, text string) string {
	t.Helper()
	id, err := o.Submit(t.Context(), parts(t, text)[0])
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// The package decodes headers and both alphabets by itself.
func TestTexts(t *testing.T) {
	t.Parallel()
	server := startNode(t)
	for name, text := range map[string]string{
		"latin":          "Code: 12345 [a] {b} ~ ^ | \\ 5 € é ñ Ω @",
		"persian":        "کد ورود شما: ۱۲۳۴۵",
		"emoji":          "سلام 👋🏽",
		"long latin":     strings.Repeat("0123456789 [abc] ", 30),
		"long persian":   strings.Repeat("این پیامک بلند است. 👋 ", 12),
		"empty but sent": " ",
	} {
		for _, long := range []string{"udh", "sar", "payload"} {
			s := settings(server.address())
			s.Long = long
			o := bind(t, s, newInbox())
			var got strings.Builder
			all := parts(t, text)
			for i, p := range all {
				if _, err := o.Submit(t.Context(), p); err != nil {
					t.Fatalf("%s, %s: %v", name, long, err)
				}
				e := server.await("submit")
				got.WriteString(e.Text)
				checkPart(t, name+", "+long, e, p, i, long)
			}
			if got.String() != text {
				t.Errorf("%s, %s: %q", name, long, got.String())
			}
			if (len(all) > 1) != strings.HasPrefix(name, "long") {
				t.Errorf("%s: %d parts", name, len(all))
			}
		}
	}
}

func checkPart(t *testing.T, name string, e happening, p operator.Part, i int, long string) {
	t.Helper()
	if e.From != p.From || e.To != "989120000000" || e.TON != 1 || e.NPI != 1 || e.Coding != int(p.Coding) || e.Registered != 1 ||
		e.Priority != 1 || e.Validity != "2026-12-01T10:20:30.000Z" {
		t.Errorf("%s: %+v", name, e)
	}
	var wantUDH []string
	var wantSar []int
	switch {
	case p.Total == 1:
	case long == "sar":
		wantSar = []int{0x1a7, p.Total, i + 1}
	default:
		wantUDH = []string{fmt.Sprintf("0003a7%02x%02x", p.Total, p.Number)}
	}
	if !slices.Equal(e.UDH, wantUDH) || !slices.Equal(e.Sar, wantSar) || e.Payload != (long == "payload" && p.Total > 1) {
		t.Errorf("%s: header %q, sar %v, payload %v", name, e.UDH, e.Sar, e.Payload)
	}
}

func TestPasswordRefused(t *testing.T) {
	t.Parallel()
	server := startNode(t)
	s := settings(server.address())
	s.Password = "guess777"
	var log bytes.Buffer
	o, err := smpp.New(s, newInbox(), event.New(&log, slog.LevelDebug))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it tries again
		if e := server.await("bind"); e.Known || e.Version != 0x34 || e.Command != "bind_transceiver" {
			t.Errorf("%+v", e)
		}
	}
	if o.Ready() {
		t.Error("ready without a bind")
	}
	if _, err := o.Submit(t.Context(), parts(t, "x")[0]); !errors.Is(err, operator.ErrUnsent) {
		t.Errorf("without a bind: %v", err)
	}
	closeOperator(t, o)
	if said := log.String(); !strings.Contains(said, "status 0xe") || strings.Contains(said, "guess777") {
		t.Errorf("the log: %s", said)
	}
}

// statuses has the message centre answer the next parts with these.
func statuses(server *node, list ...int) {
	all := make([]map[string]any, len(list))
	for i, status := range list {
		all[i] = map[string]any{"status": status}
	}
	server.do("instead", map[string]any{"list": all})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	server := startNode(t)
	o := bind(t, settings(server.address()), newInbox())
	statuses(server, 0x58, 0x14, 0x0b, 0x45)
	for _, want := range []error{operator.ErrThrottled, operator.ErrThrottled} {
		if _, err := o.Submit(t.Context(), parts(t, "x")[0]); !errors.Is(err, want) {
			t.Errorf("%v", err)
		}
	}
	for _, want := range []operator.Rejected{{Status: 0x0b}, {Status: 0x45, Temporary: true}} {
		_, err := o.Submit(t.Context(), parts(t, "x")[0])
		var got *operator.Rejected
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%v", err)
		}
	}
	submit(t, o, "x")
}

func TestDisconnects(t *testing.T) {
	t.Parallel()
	server := startNode(t)
	for _, kind := range []string{"transceiver", "pair"} {
		s := settings(server.address())
		s.Bind = kind
		o := bind(t, s, newInbox())
		for range 5 {
			server.do("instead", map[string]any{"list": []map[string]any{{"cut": "before"}, {"cut": "after"}}})
			if _, err := o.Submit(t.Context(), parts(t, "x")[0]); !errors.Is(err, operator.ErrDoubt) {
				t.Errorf("%s, cut before the answer: %v", kind, err)
			}
			await(t, o.Ready)
			submit(t, o, "y")
			await(t, func() bool { return !o.Ready() })
			await(t, o.Ready)
		}
	}
}

// Whatever form the id has in the receipt, one of its keys is the answer's.
func TestReceipts(t *testing.T) {
	t.Parallel()
	server := startNode(t)
	sink := newInbox()
	o := bind(t, settings(server.address()), sink)
	forms := []string{"decimal", "hex", "upper", "padded", "paddedHex"}
	for _, how := range []string{"text", "payload", "tlv", "both"} {
		for _, answered := range forms {
			for _, told := range forms {
				server.do("ids", map[string]any{"answer": answered, "receipt": told, "how": how})
				id := submit(t, o, "x")
				r := <-sink.receipts
				if r.State != sms.Delivered || r.To != "989120000000" || r.Operator != "node" {
					t.Errorf("%s: %+v", how, r)
				}
				if !slices.Contains(operator.Keys(r.ID), operator.Keys(id)[0]) {
					t.Errorf("%s: %s in the answer, %s in the receipt", how, id, r.ID)
				}
				if e := server.await("answered"); e.Status != 0 {
					t.Errorf("%s: status %#x", how, e.Status)
				}
			}
		}
	}
}

// Parts come in any order; what they say about themselves puts them right.
func TestArrivals(t *testing.T) {
	t.Parallel()
	server := startNode(t)
	sink := newInbox()
	bind(t, settings(server.address()), sink)
	long := []string{"بخش یک، ", "بخش دو، ", "بخش سه 👋"}
	order := []int{2, 0, 1}
	for name, mark := range map[string]func(n int) map[string]any{
		"8 bit":  func(n int) map[string]any { return map[string]any{"udh": fmt.Sprintf("0500030703%02x", n)} },
		"16 bit": func(n int) map[string]any { return map[string]any{"udh": fmt.Sprintf("060804010703%02x", n)} },
		"sar":    func(n int) map[string]any { return map[string]any{"sar": []int{7, 3, n}} },
		"payload": func(n int) map[string]any {
			return map[string]any{"sar": []int{0xffff, 3, n}, "payload": true}
		},
	} {
		for _, i := range order {
			fields := mark(i + 1)
			fields["from"], fields["to"], fields["coding"], fields["text"] = "989120000000", "30001234", 8, long[i]
			server.do("deliver", fields)
		}
		var got []operator.Arrival
		for range order {
			got = append(got, <-sink.arrivals)
			if e := server.await("answered"); e.Status != 0 {
				t.Errorf("%s: status %#x", name, e.Status)
			}
		}
		slices.SortFunc(got, func(a, b operator.Arrival) int { return a.Number - b.Number })
		var data [][]byte
		for i, a := range got {
			if a.Number != i+1 || a.Total != 3 || a.Reference != got[0].Reference || a.From != "989120000000" || a.To != "30001234" {
				t.Errorf("%s: %+v", name, a)
			}
			data = append(data, a.Data)
		}
		if text := sms.Join(got[0].Coding, data); text != strings.Join(long, "") {
			t.Errorf("%s: %q", name, text)
		}
	}
	server.do("deliver", map[string]any{"from": "989120000000", "to": "30001234", "coding": 0, "text": "OK {1} €"})
	if a := <-sink.arrivals; sms.Decode(a.Coding, a.Data) != "OK {1} €" || a.Number != 1 || a.Total != 1 {
		t.Errorf("%+v", a)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	server := startNode(t)
	o := bind(t, settings(server.address()), newInbox())
	server.do("enquire", nil)
	if e := server.await("alive"); e.Status != 0 {
		t.Errorf("enquire_link was answered with status %#x", e.Status)
	}
	server.await("bind")
	server.do("unbind", nil)
	if e := server.await("unbound"); e.Status != 0 {
		t.Errorf("unbind was answered with status %#x", e.Status)
	}
	server.await("bind")
	await(t, o.Ready)
	submit(t, o, "x")
	closeOperator(t, o)
	server.await("unbind")
}
