package dispatch

import (
	"time"

	"dargah.dev/dargah/internal/sms"
)

// Waiting is how many messages of a priority wait in memory.
func (d *Dispatcher) Waiting(p sms.Priority) int { return d.queue.most[p] - d.queue.room(int(p)) }

// OnlySignals has the dispatcher, which is not started yet, look at the queue
// when it is told to, or something has its time, and never else.
func (d *Dispatcher) OnlySignals() { d.looks = looks{time.Hour, time.Hour} }

// Room gives each priority so much room in the memory of a dispatcher that is
// not started yet.
func (d *Dispatcher) Room(messages int) {
	for p := range d.queue.most {
		d.queue.most[p] = messages
	}
}
