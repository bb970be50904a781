package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// result is one measurement.
type result struct {
	rate     float64 // calls a second
	p50, p99 time.Duration
	cpu      float64 // of the server, µs per call
}

// run drives one row: each connection sends its next request when the answer
// to the last one is whole. The client writes prepared bytes and reads no more
// of an answer than it must, so that most of the machine is left to the server.
func run(l load, conns int, length time.Duration) (result, error) {
	if err := probe(l); err != nil {
		return result{}, err
	}
	workers := make([]*worker, conns)
	for i := range workers {
		c, err := net.Dial("tcp", l.server.address)
		if err != nil {
			return result{}, err
		}
		defer c.Close()
		workers[i] = &worker{conn: c, in: bufio.NewReaderSize(c, 8<<10), load: l, next: rand.IntN(len(l.requests))}
	}
	before := l.server.cpu()
	start := time.Now()
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() { w.work(start.Add(length)) })
	}
	all.Wait()
	took := time.Since(start)
	used := l.server.cpu() - before
	var times []time.Duration
	for _, w := range workers {
		if w.err != nil {
			return result{}, w.err
		}
		times = append(times, w.times...)
	}
	r := summary(times, took)
	r.cpu = float64(used.Microseconds()) / float64(len(times))
	return r, nil
}

type worker struct {
	conn  net.Conn
	in    *bufio.Reader
	load  load
	next  int
	times []time.Duration
	err   error
}

func (w *worker) work(end time.Time) {
	for now := time.Now(); now.Before(end); {
		if _, w.err = w.conn.Write(w.load.requests[w.next%len(w.load.requests)]); w.err != nil {
			return
		}
		w.next++
		if w.err = answer(w.in); w.err != nil {
			return
		}
		done := time.Now()
		w.times = append(w.times, done.Sub(now))
		now = done
	}
}

// answer reads one whole answer, which must be of success and have a known
// length.
func answer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 20")) {
		return fmt.Errorf("answered %q", bytes.TrimSpace(line))
	}
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	_, err = in.Discard(length)
	return err
}

// probe makes sure, before anything is timed, that the answers are right.
func probe(l load) error {
	c, err := net.Dial("tcp", l.server.address)
	if err != nil {
		return err
	}
	defer c.Close()
	closing := bytes.Replace(l.requests[0], []byte("\r\n"), []byte("\r\nConnection: close\r\n"), 1)
	if _, err := c.Write(closing); err != nil {
		return err
	}
	text, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), l.want) {
		return fmt.Errorf("the answer is not as expected: %.300s", text)
	}
	return nil
}

// request builds the bytes of one call.
func request(method, path, contentType, authorization, body string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\n", method, path)
	if authorization != "" {
		fmt.Fprintf(&b, "Authorization: %s\r\n", authorization)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String())
}
