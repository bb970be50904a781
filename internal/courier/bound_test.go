package courier_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/courier"
)

// counted counts what is read.
type counted struct {
	net.Conn
	read *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// TestBoundsOfAnswers (HOOK-5): how long an answer may take and how much of it is
// read, by a clock that only waiting moves.
func TestBoundsOfAnswers(t *testing.T) {
	t.Parallel()
	drip := func(w io.Writer, text string) {
		for _, b := range []byte(text) {
			if _, err := w.Write([]byte{b}); err != nil {
				return
			}
			<-time.After(time.Second) // of the bubble's clock
		}
	}
	for name, c := range map[string]struct {
		answer func(io.Writer)
		status int
		note   string
		took   time.Duration
	}{
		"silence":          {func(io.Writer) {}, 0, "no answer in time", 15 * time.Second},
		"a status by drop": {func(w io.Writer) { drip(w, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X", 99)) }, 0, "no answer in time", 15 * time.Second},
		"endless headers by drop": {func(w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\n")
			drip(w, "X-Slow: "+strings.Repeat("x", 99))
		}, 0, "no answer in time", 15 * time.Second},
		"a long body by drop": {func(w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
			drip(w, strings.Repeat("x", 99))
		}, 200, "", 2 * time.Second},
		"an error by drop": {func(w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
			drip(w, strings.Repeat("1\r\nx\r\n", 99))
		}, 500, "answered 500", 2 * time.Second},
		"a gigabyte": {func(w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
			block := make([]byte, 1<<12)
			for range 1 << 18 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, 200, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var read atomic.Int64
				var ends sync.WaitGroup
				defer ends.Wait()
				client := newClient(open, nil, nil)
				defer client.Close()
				client.SetDial(func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					ends.Go(func() {
						defer theirs.Close()
						in := bufio.NewReader(theirs)
						if r, err := http.ReadRequest(in); err == nil {
							_, _ = io.Copy(io.Discard, r.Body)
						}
						c.answer(theirs)
						_, _ = io.Copy(io.Discard, in) // until the other side hangs up
					})
					return counted{ours, &read}, nil
				})
				from := time.Now()
				status, note := client.Send(t.Context(), hookAt("http://127.0.0.1:9000/"), "msg_1", []byte("{}"))
				if took := time.Since(from); status != c.status || note != c.note || took != c.took {
					t.Errorf("%d %q after %s, want %d %q after %s", status, note, took, c.status, c.note, c.took)
				}
				if most := int64(courier.LongestBody + 16<<10); read.Load() > most {
					t.Errorf("%d bytes were read, and %d are the most", read.Load(), most)
				}
			})
		})
	}
}
