package smpp_test

import (
	"sync"
	"testing"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
)

// BenchmarkSubmit is parts handed over, written, read by the message centre for
// tests in the same process, and answered.
func BenchmarkSubmit(b *testing.B) {
	for _, c := range []struct {
		name     string
		receipts bool
	}{{"parts", false}, {"parts and receipts", true}} {
		b.Run(c.name, func(b *testing.B) {
			options := smpptest.Options{}
			if c.receipts {
				options.Receipts = func(p smpptest.Part, id string) []pdu.Message {
					return []pdu.Message{smpptest.Receipt(p, id, "DELIVRD")}
				}
			}
			server := smpptest.Start(b, options)
			s := settings(server.Address())
			s.Window = 100
			sink := newInbox()
			go func() {
				for range sink.receipts {
				}
			}()
			o := open(b, s, sink)
			p := part(b, "Code: 12345")
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			work := make(chan struct{})
			for range s.Window {
				all.Go(func() {
					for range work {
						if _, err := o.Submit(b.Context(), p); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "parts/s")
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	s := settings("127.0.0.1:1")
	p := part(b, "Code: 12345")
	m, err := s.Message(p, now)
	if err != nil {
		b.Fatal(err)
	}
	var out []byte
	h := pdu.Header{Command: pdu.SubmitSM, Sequence: 1}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, _ = m.Append(out[:0], h)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pdu.DecodeMessage(h.Command, out[pdu.HeaderSize:]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
