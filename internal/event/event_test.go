package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
