package main

import (
	"os"
	"slices"
	"time"
)

// flush measures what a commit cannot do without: a page is written over
// another one and the disk told to keep it. The file has its size before, like
// a log that is written again from its front.
func flush(l load, _ int, length time.Duration) (result, error) {
	const page, pages = 4 << 10, 1 << 10
	f, err := os.Create(l.disk)
	if err != nil {
		return result{}, err
	}
	defer os.Remove(l.disk)
	defer f.Close()
	if _, err := f.Write(make([]byte, page*pages)); err != nil {
		return result{}, err
	}
	if err := f.Sync(); err != nil {
		return result{}, err
	}
	content := make([]byte, page)
	var times []time.Duration
	start := time.Now()
	for now := start; now.Sub(start) < length; {
		content[0]++
		if _, err := f.WriteAt(content, int64(len(times)%pages)*page); err != nil {
			return result{}, err
		}
		if err := f.Sync(); err != nil {
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
