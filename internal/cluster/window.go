package cluster

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// The scripts keep for each key how much of its burst is used, in millionths of
// a call, and when that was so, in microseconds of Redis's clock. At a rate of
// n a second n millionths flow off in each microsecond, so that everything is
// whole and exact. This is GCRA with the clock read the other way round: one
// that is set back cannot lock anybody out.
const level = `
local rate = tonumber(ARGV[1])
local full = rate * 1000000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local used = 0
local kept, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$')
if kept then
  used = math.min(tonumber(kept), full) - math.max(now - tonumber(at), 0) * rate
end
used = math.max(used, 0)
local function keep()
  local ms = math.ceil(used / rate / 1000) + 1
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', used, now), 'PX', string.format('%.0f', ms))
end
`

var (
	// take answers 0, or after how many microseconds it would.
	take = redis.NewScript(level + `
local over = used + 1000000 - full
if over > 0 then return math.ceil(over / rate) end
used = used + 1000000
keep()
return 0`)
	give = redis.NewScript(level + `
used = math.max(used - 1000000, 0)
keep()
return 0`)
)

// probeRate is a rate that probes of one every half second never exhaust,
// however many nodes there are.
const probeRate = 1_000_000

// Take is limit.Remote's.
func (r *Redis) Take(key string, perSecond int) (ok bool, after time.Duration, err error) {
	micros, err := r.run(take, "rate:"+key, perSecond)
	return err == nil && micros == 0, time.Duration(micros) * time.Microsecond, err
}

// Give is limit.Remote's.
func (r *Redis) Give(key string, perSecond int) { _, _ = r.run(give, "rate:"+key, perSecond) }
