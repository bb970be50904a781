package dispatch

import "dargah.dev/dargah/internal/sms"

// Waiting is how many messages of a priority wait in memory.
func (d *Dispatcher) Waiting(p sms.Priority) int { return mostQueued[p] - d.queue.room(int(p)) }
