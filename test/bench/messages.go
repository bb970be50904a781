package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/store"
)

// queue is a row of the second table: messages are accepted while there is no
// message centre, which then comes.
type queue struct {
	name     string
	messages int
	each     int  // recipients of a call
	receipts bool // each is reported delivered, and that recorded
}

var queues = []queue{
	{"drained from the durable queue, 100 recipients a call", 100_000, 100, false},
	{"drained from the durable queue, one recipient a call", 50_000, 1, false},
	{"drained from the durable queue, 100 recipients a call, and their receipts recorded", 100_000, 100, true},
}

const operators = `
operators:
  - {name: bench, address: %q, systemId: bench, password: bench, window: 100, receipts: %s}
`

// messages measures what leaves over SMPP.
func messages(s settings, dir string) error {
	fmt.Print("\nOver SMPP, at a window of 100, to a message centre in the process of the load:\n\n")
	fmt.Println("| what | messages | submit_sm/s | memory before and at most |")
	fmt.Println("|---|---|---|---|")
	for i, q := range queues {
		if !strings.Contains(q.name, s.only) {
			continue
		}
		if err := q.measure(s, filepath.Join(dir, fmt.Sprintf("queue-%d", i))); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	for _, spool := range []bool{false, true} {
		name := kannelName(spool)
		if !strings.Contains(name, s.only) {
			continue
		}
		if err := kannelSubmits(s, name, filepath.Join(dir, fmt.Sprintf("kannel-submits-%v", spool)), spool); err != nil {
			fmt.Fprintln(os.Stderr, "bench: without Kannel:", err)
		}
	}
	return nil
}

func kannelName(spool bool) string {
	if spool {
		return "Kannel sendsms, its spool, never flushed"
	}
	return "Kannel sendsms, nothing stored"
}

func (q queue) measure(s settings, dir string) error {
	var o smpptest.Options
	wanted := "never"
	if q.receipts {
		wanted = "always"
		o.Receipts = func(p smpptest.Part, id string) []pdu.Message {
			return []pdu.Message{smpptest.TaggedReceipt(p, id, 2)}
		}
	}
	centre, err := smpptest.Listen(o)
	if err != nil {
		return err
	}
	defer centre.Close()
	centre.Stop()
	at := store.Location{Dir: dir}
	if err := fill(at, "sqlite", 1); err != nil {
		return err
	}
	file := filepath.Join(dir, "dargah.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, operators, centre.Address(), wanted), 0o600); err != nil {
		return err
	}
	srv, err := startDargah(s, at, "--config", file)
	if err != nil {
		return err
	}
	defer srv.stop()
	if err := q.fill(srv); err != nil {
		return err
	}
	before := srv.memory()
	if err := centre.Resume(); err != nil {
		return err
	}
	count := centre.Taken
	if q.receipts {
		count = centre.Brought
	}
	took, most, err := drained(srv, count, q.messages)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %d | %.0f | %d and %d MiB |\n", q.name, q.messages, float64(q.messages)/took.Seconds(), before, most)
	return nil
}

// fill has the messages accepted.
func (q queue) fill(srv *server) error {
	token, err := smsafzarToken(srv)
	if err != nil {
		return err
	}
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		all.Go(func() {
			for errs[i] == nil {
				from := int(next.Add(int64(q.each))) - q.each
				if from >= q.messages {
					return
				}
				errs[i] = q.send(srv, token, from)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (q queue) send(srv *server, token string, from int) error {
	numbers := make([]string, q.each)
	for i := range numbers {
		numbers[i] = fmt.Sprintf(`"0912%07d"`, (from+i)*97%10_000_000)
	}
	body := fmt.Sprintf(`{"senderNumbers":["30001234"],"recipientNumbers":[%s],"contents":["کد ورود شما: %06d"]}`, strings.Join(numbers, ","), from)
	r, err := http.NewRequest(http.MethodPost, "http://"+srv.address+"/messages/send/bulk", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", js)
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	said, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %d: %.200s", a.StatusCode, said)
	}
	return err
}

// drained waits until all messages are counted, and says how long after the first
// that was, and how much memory the server had at most.
func drained(srv *server, count func() uint64, messages int) (took time.Duration, most int, err error) {
	const step, patience = 5 * time.Millisecond, 5 * time.Minute
	var first time.Time
	start := time.Now()
	for now := range time.Tick(step) {
		counted := int(count())
		if counted > 0 && first.IsZero() {
			first = now
		}
		most = max(most, srv.memory())
		if counted >= messages {
			return now.Sub(first), most, nil
		}
		if now.Sub(start) > patience {
			break
		}
	}
	return 0, 0, fmt.Errorf("%d of %d messages came", count(), messages)
}

// kannelSubmits is how fast Kannel submits what 64 connections give it.
func kannelSubmits(s settings, name, dir string, spool bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	centre, err := smpptest.Listen(smpptest.Options{})
	if err != nil {
		return err
	}
	defer centre.Close()
	srv, err := startKannel(dir, centre.Address(), spool)
	if err != nil {
		return err
	}
	defer srv.stop()
	start, before := time.Now(), srv.memory()
	if _, err := run(load{server: srv, requests: kannelSends(), want: "Accepted"}, 64, s.seconds); err != nil {
		return err
	}
	settle(centre)
	fmt.Printf("| %s, 64 connections | %d | %.0f | %d and %d MiB |\n",
		name, centre.Taken(), float64(centre.Taken())/time.Since(start).Seconds(), before, srv.memory())
	return nil
}

// settle waits until nothing more comes to a message centre.
func settle(centre *smpptest.Server) {
	last := uint64(0)
	for range time.Tick(200 * time.Millisecond) {
		now := centre.Taken()
		if now == last {
			return
		}
		last = now
	}
}
