package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/event"
)

type sink struct {
	bytes.Buffer
	full   bool
	closed bool
}

func (s *sink) Write(p []byte) (int, error) {
	if s.full {
		return 0, errors.New("no space left on device")
	}
	return s.Buffer.Write(p)
}

func (s *sink) Close() error {
	s.closed = true
	return nil
}

func TestOneLinePerCallWhateverIsInIt(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := event.New(&out, slog.LevelInfo)
	l.Call(event.Call{ID: "1", Dialect: "uid", Account: "a\nb\u2028c\x1b[31m", Status: 503, Trace: 1234567890, Err: errors.New("line\r\nbreak\x00")})
	l.Call(event.Call{ID: "2", Status: 200})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines for two calls:\n%s", len(lines), out.String())
	}
	var first struct {
		Level string
		Trace uint64
		Cause string
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || first.Level != "ERROR" || first.Trace != 1234567890 || first.Cause != "line\r\nbreak\x00" {
		t.Errorf("%v: %s", err, lines[0])
	}
	if strings.Contains(lines[1], "trace") || strings.Contains(lines[1], "cause") {
		t.Errorf("a good call has a trace or a cause: %s", lines[1])
	}
}

// A line of a call is what the logger would have written.
func TestCallIsALineOfTheLogger(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]event.Call{
		"nothing": {},
		"all": {
			ID: "01", Dialect: "uid", Service: "person", Method: "inquiry", Account: "a\u2028<b>&\xff\x01", Peer: netip.MustParseAddr("2001:db8::1"),
			Status: 503, Outcome: "internal", Took: 12345678 * time.Nanosecond, Trace: 1<<64 - 1, Err: errors.New("\"\r\n\\"),
		},
	} {
		var got, want bytes.Buffer
		event.New(&got, slog.LevelInfo).Call(c)
		level := slog.LevelInfo
		attrs := []any{
			"id", c.ID, "dialect", c.Dialect, "service", c.Service, "method", c.Method, "account", c.Account, "peer", c.Peer.String(),
			"status", c.Status, "outcome", c.Outcome, "us", c.Took.Microseconds(),
		}
		if c.Trace != 0 {
			level = slog.LevelError
			attrs = append(attrs, "trace", c.Trace)
		}
		if c.Err != nil {
			attrs = append(attrs, "cause", c.Err.Error())
		}
		slog.New(slog.NewJSONHandler(&want, nil)).Log(t.Context(), level, "call", attrs...)
		_, gotRest, _ := strings.Cut(got.String(), `","level"`)
		_, wantRest, _ := strings.Cut(want.String(), `","level"`)
		if diff := cmp.Diff(wantRest, gotRest); diff != "" || wantRest == "" {
			t.Errorf("%s (-logger +line):\n%s", name, diff)
		}
		var line struct{ Time time.Time }
		if err := json.Unmarshal(got.Bytes(), &line); err != nil || line.Time.IsZero() {
			t.Errorf("%s: %v: %s", name, err, got.String())
		}
	}
}

func TestLinesBelowTheLevelAreNotWritten(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := event.New(&out, slog.LevelError)
	l.Call(event.Call{ID: "good"})
	l.Note("note")
	l.Call(event.Call{ID: "bad", Trace: 1})
	if strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), `"id":"bad"`) {
		t.Errorf("written: %s", out.String())
	}
}

func TestLinesStayWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer // not safe for concurrent use, as many writers are not
	l := event.New(&out, slog.LevelInfo)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				l.Call(event.Call{ID: "call"})
				l.Note("note")
			}
		})
	}
	all.Wait()
	lines := 0
	for line := range strings.Lines(out.String()) {
		if lines++; !json.Valid([]byte(line)) {
			t.Fatalf("line %d: %s", lines, line)
		}
	}
	if lines != 800 {
		t.Errorf("%d lines", lines)
	}
}

func BenchmarkCall(b *testing.B) {
	l := event.New(io.Discard, slog.LevelInfo)
	c := event.Call{
		ID: "0cabcdefghijklmnopqrstuvwx", Dialect: "uid", Service: "person", Method: "inquiry/person", Account: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		Peer: netip.MustParseAddr("127.0.0.1"), Status: 200, Outcome: "answered", Took: 1234567,
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Call(c)
	}
}

func TestBufferFlushesInTimeAndAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		b := event.NewBuffer(s)
		_, _ = b.Write([]byte("one\n"))
		time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest no time passes
		synctest.Wait()
		if s.String() != "one\n" {
			t.Errorf("after a second: %q", s.String())
		}
		s.full = true // the flusher sleeps: Wait above ordered this after its last write
		_, _ = b.Write([]byte("lost\n"))
		time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest no time passes
		synctest.Wait()
		s.full = false
		_, _ = b.Write([]byte("two\n"))
		if err := b.Close(); err != nil || s.String() != "one\ntwo\n" || !s.closed {
			t.Errorf("at the end: %v %q", err, s.String())
		}
	})
}
