package main

import (
	"errors"
	"os"
	"slices"
	"time"
)

// pages is a file whose pages are written again in their turn, like a log that
// is written again from its front.
type pages struct {
	file    *os.File
	content [4 << 10]byte
	written int64
}

const pageCount = 1 << 10

// openPages makes the file as large as it will be.
func openPages(name string) (*pages, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	p := &pages{file: f}
	if _, err = f.Write(make([]byte, pageCount*len(p.content))); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return p, nil
}

// flush writes the next page and has the disk keep it.
func (p *pages) flush() error {
	p.content[0]++
	if _, err := p.file.WriteAt(p.content[:], p.written%pageCount*int64(len(p.content))); err != nil {
		return err
	}
	p.written++
	return p.file.Sync()
}

// flush measures what a commit cannot do without.
func flush(l load, length time.Duration) (result, error) {
	p, err := openPages(l.disk)
	if err != nil {
		return result{}, err
	}
	defer os.Remove(l.disk)
	defer p.file.Close()
	var times []time.Duration
	start := time.Now()
	for now := start; now.Sub(start) < length; {
		if err := p.flush(); err != nil {
			return result{}, err
		}
		done := time.Now()
		times = append(times, done.Sub(now))
		now = done
	}
	return summary(times, time.Since(start)), nil
}

// summary is what all these times come to. It sorts them.
func summary(times []time.Duration, took time.Duration) result {
	slices.Sort(times)
	n := len(times)
	return result{rate: float64(n) / took.Seconds(), p50: times[n/2], p99: times[n*99/100]}
}
