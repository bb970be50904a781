package httpd

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/event"
)

// Certificate is a certificate and its key in two PEM files, which are read
// anew when they change.
type Certificate struct {
	chain, key string
	log        *event.Log
	current    atomic.Pointer[tls.Certificate]

	mu   sync.Mutex
	seen [2]fs.FileInfo // the files when they were last tried
}

// OpenCertificate reads the files, of which the first may hold a chain.
func OpenCertificate(chain, key string, log *event.Log) (*Certificate, error) {
	c := &Certificate{chain: chain, key: key, log: log}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload reads the files. Where they are broken, what was read before stays.
func (c *Certificate) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = c.look() // before they are read: a change in between is seen next time
	pair, err := tls.LoadX509KeyPair(c.chain, c.key)
	if err != nil {
		return fmt.Errorf("the certificate %s with its key %s: %w", c.chain, c.key, err)
	}
	c.current.Store(&pair)
	if time.Now().After(pair.Leaf.NotAfter) {
		c.log.Note("the certificate has ended", "file", c.chain, "at", pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// Watch reloads the files whenever they are others than before, until the
// context ends. Files that are broken, or of which only one is new yet, are
// noted once and tried again at their next change.
func (c *Certificate) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if c.changed() {
			c.Refresh()
		}
	}
}

// Refresh reloads the files and notes how that went.
func (c *Certificate) Refresh() {
	if err := c.Reload(); err != nil {
		c.log.Fail("the new certificate is not taken; the one before stays in use", err)
		return
	}
	leaf := c.current.Load().Leaf
	c.log.Note("a new certificate is in use", "file", c.chain, "until", leaf.NotAfter.UTC().Format(time.RFC3339))
}

func (c *Certificate) changed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, now := range c.look() {
		before := c.seen[i]
		if (now == nil) != (before == nil) {
			return true
		}
		if now != nil && (!os.SameFile(now, before) || !now.ModTime().Equal(before.ModTime()) || now.Size() != before.Size()) {
			return true
		}
	}
	return false
}

// look is nil for a file that cannot be seen.
func (c *Certificate) look() (files [2]fs.FileInfo) {
	for i, path := range []string{c.chain, c.key} {
		if info, err := os.Stat(path); err == nil {
			files[i] = info
		}
	}
	return files
}

// settings offer TLS 1.2 and 1.3, and HTTP/2 and 1.1 over them.
func (c *Certificate) settings() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}
