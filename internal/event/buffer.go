package event

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"time"
)

// flushEvery bounds how long a line may wait in memory.
const flushEvery = 200 * time.Millisecond

// Buffer gathers log lines, so that a call does not pay for a system call of
// its own. A crash can lose the last moments of the log; what must not be lost
// is in the trail, which does not pass here.
type Buffer struct {
	mu   sync.Mutex
	out  *bufio.Writer
	to   io.WriteCloser
	stop chan struct{}
	done chan struct{}
}

// NewBuffer writes to w, which it closes when it is closed.
func NewBuffer(w io.WriteCloser) *Buffer {
	b := &Buffer{out: bufio.NewWriterSize(w, 64<<10), to: w, stop: make(chan struct{}), done: make(chan struct{})}
	go b.flush()
	return b
}

func (b *Buffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(line)
}

// Between writes what is gathered and then does something that must not come
// into the middle of a line, like opening the file anew.
func (b *Buffer) Between(do func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.out.Flush(), do())
}

// Close writes what is gathered.
func (b *Buffer) Close() error {
	close(b.stop)
	<-b.done
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.out.Flush(), b.to.Close())
}

func (b *Buffer) flush() {
	defer close(b.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.mu.Lock()
			err := b.out.Flush()
			if err != nil {
				b.out.Reset(b.to) // a full disk must not silence the log for good
			}
			b.mu.Unlock()
		case <-b.stop:
			return
		}
	}
}
