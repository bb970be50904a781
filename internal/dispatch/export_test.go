package dispatch

import (
	"time"

	"dargah.dev/dargah/internal/sms"
)

// Waiting is how many messages of a priority wait in memory.
func (d *Dispatcher) Waiting(p sms.Priority) int { return mostQueued[p] - d.queue.room(int(p)) }

// OnlySignals has the dispatcher, which is not started yet, look at the queue
// when it is told to, or something has its time, and never else.
func (d *Dispatcher) OnlySignals() { d.looks = looks{time.Hour, time.Hour} }
