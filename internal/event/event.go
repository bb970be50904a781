// Package event owns the log: one line per call, as JSON, with nothing about
// the person asked about and no secret in it.
package event

import (
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"dargah.dev/dargah/internal/literal"
)

// Log writes lines. The zero Log writes nothing.
type Log struct {
	out   *slog.Logger
	level slog.Level
	to    *lines
}

// New writes JSON lines of at least level to w.
func New(w io.Writer, level slog.Level) *Log {
	to := &lines{w: w}
	return &Log{out: slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level})), level: level, to: to}
}

// lines keeps the lines of calls and of the logger apart.
type lines struct {
	mu   sync.Mutex
	w    io.Writer
	room []byte
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(line)
}

// Call is one call, when it is over.
type Call struct {
	ID      string
	Dialect string
	Service string
	Method  string
	Account string // ours, opaque; empty for unknown callers
	Peer    netip.Addr
	Status  int // HTTP
	Outcome string
	Took    time.Duration
	Trace   uint64 // the number that the caller may quote; 0 where nothing of ours failed
	Err     error  // the cause of a refusal
}

// Call writes one call's line. Only faults of ours carry their cause, as an
// error: what a caller did wrong is said by the outcome.
//
// The line is as the logger would write it, made by hand: it is the one that
// is written on every call, and took a twentieth of its time.
func (l *Log) Call(c Call) {
	if l == nil || l.out == nil {
		return
	}
	level := slog.LevelInfo
	if c.Trace != 0 {
		level = slog.LevelError
	}
	if level < l.level {
		return
	}
	to := l.to
	to.mu.Lock()
	defer to.mu.Unlock()
	to.room = c.append(to.room[:0], level, time.Now())
	_, _ = to.w.Write(to.room) // nobody is left to tell that the log is broken
}

func (c *Call) append(b []byte, level slog.Level, now time.Time) []byte {
	b = append(b, `{"time":"`...)
	b = now.AppendFormat(b, time.RFC3339Nano)
	b = text(b, `","level":`, level.String())
	b = text(b, `,"msg":"call","id":`, c.ID)
	b = text(b, `,"dialect":`, c.Dialect)
	b = text(b, `,"service":`, c.Service)
	b = text(b, `,"method":`, c.Method)
	b = text(b, `,"account":`, c.Account)
	b = text(b, `,"peer":`, c.Peer.String())
	b = strconv.AppendInt(append(b, `,"status":`...), int64(c.Status), 10)
	b = text(b, `,"outcome":`, c.Outcome)
	b = strconv.AppendInt(append(b, `,"us":`...), c.Took.Microseconds(), 10)
	if c.Trace != 0 {
		b = strconv.AppendUint(append(b, `,"trace":`...), c.Trace, 10)
	}
	if c.Err != nil {
		b = text(b, `,"cause":`, c.Err.Error())
	}
	return append(b, '}', '\n')
}

func text(b []byte, before, value string) []byte { return literal.Append(append(b, before...), value) }

// Note writes a line about the program itself.
func (l *Log) Note(message string, args ...any) {
	if l != nil && l.out != nil {
		l.out.Info(message, args...)
	}
}

// Fail writes a line about something of ours that failed.
func (l *Log) Fail(message string, err error) {
	if l != nil && l.out != nil {
		l.out.Error(message, "cause", err.Error())
	}
}
