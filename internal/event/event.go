// Package event owns the log: one line per call, as JSON, with nothing about
// the person asked about and no secret in it.
package event

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"
)

// Log writes lines. The zero Log writes nothing.
type Log struct{ out *slog.Logger }

// New writes JSON lines of at least level to w.
func New(w io.Writer, level slog.Level) *Log {
	return &Log{out: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))}
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
func (l *Log) Call(c Call) {
	if l == nil || l.out == nil {
		return
	}
	level := slog.LevelInfo
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("id", c.ID), slog.String("dialect", c.Dialect),
		slog.String("service", c.Service), slog.String("method", c.Method),
		slog.String("account", c.Account), slog.String("peer", c.Peer.String()),
		slog.Int("status", c.Status), slog.String("outcome", c.Outcome),
		slog.Int64("us", c.Took.Microseconds()))
	if c.Trace != 0 {
		level = slog.LevelError
		attrs = append(attrs, slog.Uint64("trace", c.Trace))
	}
	if c.Err != nil {
		attrs = append(attrs, slog.String("cause", c.Err.Error()))
	}
	l.out.LogAttrs(context.Background(), level, "call", attrs...)
}

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
