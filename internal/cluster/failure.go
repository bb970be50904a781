package cluster

import (
	"encoding/hex"

	"github.com/redis/go-redis/v9"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/seal"
)

// The scripts keep how many wrong passwords in a row a name has had, and until
// when it must wait, in milliseconds of Redis's clock. A wait longer than the
// longest comes from a clock that was set back, and is over.
const waiting = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = redis.call('HMGET', KEYS[1], 'failures', 'until')
local left = tonumber(kept[2] or '0') - now
local locked = left > 0 and left <= tonumber(ARGV[1])
`

var (
	isLocked = redis.NewScript(waiting + `if locked then return 1 end return 0`)
	// verdict answers 1 where the password is accepted.
	verdict = redis.NewScript(waiting + `
local right, free, first, forget, last = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
if locked then return 0 end
if right == '1' then
  redis.call('DEL', KEYS[1])
  return 1
end
local failures = tonumber(kept[1] or '0') + 1
local till = 0
if failures >= free then
  till = now + math.min(first * 2 ^ math.min(failures - free, 10), last)
end
redis.call('HSET', KEYS[1], 'failures', string.format('%.0f', failures), 'until', string.format('%.0f', till))
redis.call('PEXPIRE', KEYS[1], forget)
return 0`)
)

// longestWait bounds what a stored wait is believed to be; it is the rule's
// last one, with room for a clock that is corrected meanwhile.
const longestWait = 60 * 60 * 1000 // milliseconds

// Failures counts wrong passwords over all nodes. Redis learns no name: it gets
// keyed hashes.
type Failures struct {
	redis *Redis
	keys  *seal.Keyring
}

// Locked is admission.Failures'.
func (f *Failures) Locked(name string) (locked, known bool) {
	n, err := f.redis.run(isLocked, f.key(name), longestWait)
	return n == 1, err == nil
}

// Verdict is admission.Failures'.
func (f *Failures) Verdict(name string, right bool, rule admission.Waits) (accepted, known bool) {
	said := 0
	if right {
		said = 1
	}
	n, err := f.redis.run(verdict, f.key(name), longestWait, said, rule.Free,
		rule.First.Milliseconds(), rule.Forget.Milliseconds(), rule.Last.Milliseconds())
	return n == 1, err == nil
}

func (f *Failures) key(name string) string {
	return "failures:" + hex.EncodeToString(f.keys.Hash("lockout", name))
}
