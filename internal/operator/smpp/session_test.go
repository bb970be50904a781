package smpp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/testkit"
)

// piped are settings that connect to the server without a socket, so that a
// test can have a clock of its own.
func piped(server *smpptest.Server) smpp.Settings {
	return settings("pipe:1").Through(func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		go server.Serve(far)
		return near, nil
	})
}

// within runs a test in a bubble whose clock goes on when nothing else does.
func within(t *testing.T, o smpptest.Options, change func(*smpp.Settings), test func(*testing.T, *smpp.Operator, *smpptest.Server, *inbox)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, sink := smpptest.New(o), newInbox()
		s := piped(server)
		if change != nil {
			change(&s)
		}
		operator := open(t, s, sink)
		test(t, operator, server, sink)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = operator.Close(ctx) // the peer of some tests is gone
		server.Close()
	})
}

// Every throttled part is told so, and the bind pauses: each pause is twice the
// one before, until parts are taken again.
func TestThrottled(t *testing.T) {
	t.Parallel()
	refused := 12
	within(t, smpptest.Options{Answer: func(p smpptest.Part) smpptest.Answer {
		if p.Arrived <= uint64(refused) {
			return smpptest.Answer{Status: []pdu.Status{pdu.Throttled, pdu.QueueFull}[p.Arrived%2]}
		}
		return smpptest.Answer{}
	}}, nil, func(t *testing.T, o *smpp.Operator, server *smpptest.Server, _ *inbox) {
		pause := 10 * time.Millisecond
		for i := range refused {
			before := time.Now()
			if _, err := o.Submit(t.Context(), part(t, "x")); !errors.Is(err, operator.ErrThrottled) {
				t.Fatalf("%v", err)
			}
			if i > 0 && time.Since(before) > 0 && pause/2 <= time.Second && time.Since(before) != pause/2 {
				t.Errorf("pause %d: %v, want %v", i, time.Since(before), pause/2)
			}
			if o.Ready() {
				t.Error("ready in a pause")
			}
			if pause > time.Second { // the next part does not wait here for so long
				arrived := server.Arrived()
				if _, err := o.Submit(t.Context(), part(t, "x")); !errors.Is(err, operator.ErrThrottled) || server.Arrived() != arrived {
					t.Errorf("in a long pause: %v", err)
				}
				time.Sleep(pause) //nolint:forbidigo // the bubble's clock
			}
			pause = min(2*pause, 10*time.Second)
		}
		await(t, o.Ready)
		if _, err := o.Submit(t.Context(), part(t, "x")); err != nil {
			t.Errorf("after the pauses: %v", err)
		}
	})
}

// SMS-5: a fifth is refused at random; no second has more than the rate, nothing
// is lost, and nine tenths of what is allowed get through.
func TestRate(t *testing.T) {
	t.Parallel()
	const rate, parts = 100, 1000
	var mu sync.Mutex
	var at []time.Time
	within(t, smpptest.Options{Keep: true, Answer: func(p smpptest.Part) smpptest.Answer {
		mu.Lock()
		at = append(at, p.At)
		mu.Unlock()
		if p.Arrived*2654435761>>7%5 == 0 {
			return smpptest.Answer{Status: pdu.Throttled}
		}
		return smpptest.Answer{}
	}}, func(s *smpp.Settings) { s.PartsPerSecond = rate }, func(t *testing.T, o *smpp.Operator, server *smpptest.Server, _ *inbox) {
		start := time.Now()
		work := make(chan string)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for text := range work {
					for {
						_, err := o.Submit(t.Context(), part(t, text))
						if err == nil {
							break
						}
						if !errors.Is(err, operator.ErrThrottled) {
							t.Errorf("%v", err)
							break
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
		took := time.Since(start)
		had := map[string]bool{}
		for _, p := range server.Parts() {
			had[string(p.Text)] = true
		}
		refused := len(at) - parts
		if len(had) != parts || refused < parts/10 {
			t.Errorf("%d parts had, %d refused", len(had), refused)
		}
		for i := rate; i < len(at); i++ {
			if at[i].Sub(at[i-rate]) < time.Second {
				t.Fatalf("%d parts within %v", rate+1, at[i].Sub(at[i-rate]))
			}
		}
		allowed := time.Duration(len(at)) * time.Second / rate
		if took > allowed*10/9 {
			t.Errorf("%v for what is allowed in %v", took, allowed)
		}
	})
}

// A peer that says nothing is asked, and left when it does not answer.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		peers := make(chan *peer, 10)
		o := open(t, scripted(peers), newInbox())
		p := <-peers
		start := time.Now()
		if h := p.next(); h.Command != pdu.EnquireLink || time.Since(start) < 29*time.Second || time.Since(start) > 31*time.Second {
			t.Errorf("command %#x after %v", uint32(h.Command), time.Since(start))
		}
		failed := make(chan error)
		go func() {
			_, err := o.Submit(t.Context(), part(t, "x"))
			failed <- err
		}()
		p.next()
		if err := <-failed; !errors.Is(err, operator.ErrDoubt) || time.Since(start) < 39*time.Second || time.Since(start) > 42*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		<-peers // it was left, and bound again
		closeNow(t, o)
	})
}

// A peer that does not read gets nothing, and that is known.
func TestStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		peers := make(chan *peer, 10)
		o := open(t, scripted(peers), newInbox())
		<-peers
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := o.Submit(t.Context(), part(t, "x")); !errors.Is(err, operator.ErrUnsent) {
					t.Errorf("%v", err)
				}
			})
		}
		all.Wait()
		closeNow(t, o)
	})
}

// A peer that is back is bound to within ten seconds.
func TestRebind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := smpptest.New(smpptest.Options{})
		var mu sync.Mutex
		away, attempts := false, 0
		dial := func(context.Context) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if attempts++; away {
				return nil, errors.New("refused")
			}
			near, far := net.Pipe()
			go server.Serve(far)
			return near, nil
		}
		o := open(t, settings("pipe:1").Through(dial), newInbox())
		mu.Lock()
		away = true
		mu.Unlock()
		server.Cut()
		time.Sleep(10 * time.Minute) //nolint:forbidigo // the bubble's clock
		mu.Lock()
		if attempts < 150 || attempts > 320 {
			t.Errorf("%d attempts in ten minutes", attempts)
		}
		away = false
		mu.Unlock()
		if _, err := o.Submit(t.Context(), part(t, "x")); !errors.Is(err, operator.ErrUnsent) {
			t.Errorf("%v", err)
		}
		back := time.Now()
		await(t, o.Ready)
		if time.Since(back) > 10*time.Second {
			t.Errorf("bound after %v", time.Since(back))
		}
		closeNow(t, o)
		server.Close()
	})
}

// What the sink does not take is brought again, and nothing is answered before
// the sink has spoken.
func TestSinkRefuses(t *testing.T) {
	t.Parallel()
	within(t, smpptest.Options{}, nil, func(t *testing.T, _ *smpp.Operator, server *smpptest.Server, sink *inbox) {
		var mu sync.Mutex
		left := 3
		release := make(chan struct{})
		sink.refuse = func() error {
			<-release
			mu.Lock()
			defer mu.Unlock()
			if left--; left >= 0 {
				return errors.New("the disk is full")
			}
			return nil
		}
		statuses := make(chan pdu.Status, 1)
		go func() {
			status, err := server.Deliver(t.Context(), smpptest.Incoming("989120000000", "30001234", 0, []byte("x")))
			if err != nil {
				t.Error(err)
			}
			statuses <- status
		}()
		<-sink.arrivals
		synctest.Wait()
		select {
		case status := <-statuses:
			t.Errorf("answered with %#x before the sink had it", uint32(status))
		default:
		}
		close(release)
		if status := <-statuses; status != pdu.Later {
			t.Errorf("status %#x", uint32(status))
		}
		server.Bring(smpptest.Receipt(smpptest.Part{}, "7", "DELIVRD"))
		for range 3 { // refused twice more, then taken
			if r := <-sink.receipts; r.ID != "7" {
				t.Errorf("%+v", r)
			}
		}
		synctest.Wait()
		if len(sink.receipts) != 0 {
			t.Error("brought again after it was taken")
		}
	})
}

// Sinks work side by side, up to the bound; then the session reads no further.
func TestSinksAtOnce(t *testing.T) {
	t.Parallel()
	within(t, smpptest.Options{Window: 2 * smpp.Incoming}, nil, func(t *testing.T, _ *smpp.Operator, server *smpptest.Server, sink *inbox) {
		release := make(chan struct{})
		sink.refuse = func() error { <-release; return nil }
		for i := range 2 * smpp.Incoming {
			server.Bring(smpptest.Receipt(smpptest.Part{}, fmt.Sprint(i), "DELIVRD"))
		}
		synctest.Wait()
		if n := len(sink.receipts); n != smpp.Incoming {
			t.Errorf("%d at once", n)
		}
		close(release)
		seen := map[string]bool{}
		for range 2 * smpp.Incoming {
			seen[(<-sink.receipts).ID] = true
		}
		if len(seen) != 2*smpp.Incoming {
			t.Errorf("%d of them", len(seen))
		}
	})
}

// Close waits for what is under way, and not for ever.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, patient := range []bool{true, false} {
			peers := make(chan *peer, 10)
			o := open(t, scripted(peers), newInbox())
			p := <-peers
			sent := make(chan error, 1)
			go func() {
				_, err := o.Submit(t.Context(), part(t, "x"))
				sent <- err
			}()
			h := p.next()
			closed := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				closed <- o.Close(ctx)
			}()
			synctest.Wait()
			if _, err := o.Submit(t.Context(), part(t, "y")); !errors.Is(err, operator.ErrUnsent) || o.Ready() {
				t.Errorf("while it closes: %v", err)
			}
			if patient {
				p.write(answerTo(h, "1"))
				unbind := p.next()
				p.write(pdu.Header{Command: pdu.Unbind.Answer(), Sequence: unbind.Sequence}.Append(nil))
				if unbind.Command != pdu.Unbind {
					t.Errorf("command %#x", uint32(unbind.Command))
				}
			}
			if err := <-sent; patient != (err == nil) || !patient && !errors.Is(err, operator.ErrDoubt) {
				t.Errorf("%v", err)
			}
			if err := <-closed; patient != (err == nil) {
				t.Errorf("%v", err)
			}
		}
	})
}

// While it closes, what the sink has is answered, and what comes then is to
// come again.
func TestCloseWithSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		peers, sink, release := make(chan *peer, 10), newInbox(), make(chan struct{})
		sink.refuse = func() error { <-release; return nil }
		o := open(t, scripted(peers), sink)
		p := <-peers
		bring := func(sequence uint32) {
			m := smpptest.Incoming("989120000000", "30001234", 0, []byte("x"))
			b, err := m.Append(nil, pdu.Header{Command: pdu.DeliverSM, Sequence: sequence})
			if err != nil {
				t.Error(err)
			}
			p.write(b)
		}
		bring(1)
		<-sink.arrivals
		closed := make(chan error, 1)
		go func() { closed <- o.Close(t.Context()) }()
		synctest.Wait()
		bring(2)
		if h := p.next(); h.Sequence != 2 || h.Status != pdu.Later {
			t.Errorf("%+v", h)
		}
		close(release)
		if h := p.next(); h.Sequence != 1 || h.Status != pdu.OK {
			t.Errorf("%+v", h)
		}
		unbind := p.next()
		if unbind.Command != pdu.Unbind {
			t.Errorf("%+v", unbind)
		}
		bring(3)
		p.next()
		p.write(pdu.Header{Command: pdu.Unbind.Answer(), Sequence: unbind.Sequence}.Append(nil))
		if err := <-closed; err != nil || len(sink.arrivals) != 0 {
			t.Errorf("%v", err)
		}
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	files := testkit.NewCertificate(t, t.TempDir(), "smsc")
	certificate, err := tls.LoadX509KeyPair(files.Chain, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(certificate.Leaf)
	server := smpptest.Start(t, smpptest.Options{TLS: &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted,
	}})
	s := settings(server.Address())
	s.TLS, s.TLSFile, s.TLSCertFile, s.TLSKeyFile = true, files.Chain, files.Chain, files.Key
	o := open(t, s, newInbox())
	if _, err := o.Submit(t.Context(), part(t, "x")); err != nil {
		t.Error(err)
	}
	server.Cut()
	await(t, func() bool { return server.Bound() == 2 })
	for name, s := range map[string]smpp.Settings{
		"another name":                    {Name: "a", Address: server.Address(), SystemID: "a", TLS: true, TLSFile: files.Chain, TLSName: "other.example"},
		"nobody we said we were":          {Name: "a", Address: server.Address(), SystemID: "a", TLS: true, TLSFile: files.Chain},
		"an authority that nobody trusts": {Name: "a", Address: server.Address(), SystemID: "a", TLS: true},
	} {
		log := &failures{said: make(chan string, 10)}
		o, err := smpp.New(s, newInbox(), log.log())
		if err != nil {
			t.Fatal(err)
		}
		if said := <-log.said; o.Ready() || !strings.Contains(said, "certificate") {
			t.Errorf("%s: %s", name, said)
		}
		closeNow(t, o)
	}
}
