package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"dargah.dev/dargah/internal/finding"
)

const (
	// slowTrip is a tenth of the time after which Redis counts as away.
	slowTrip = deadline / 10
	// oldestRedis is the first whose scripts may ask for the time.
	oldestRedis = 5
)

// Examine looks at the Redis at an address. Nothing is written there.
func Examine(ctx context.Context, url string) (l finding.List) {
	const about = "redis"
	client, err := newClient(url)
	if err != nil {
		l.Bad(about, err.Error(), "correct the setting redis")
		return l
	}
	defer func() { _ = client.Close() }()
	switch err := client.Ping(ctx).Err(); {
	case err != nil && refused(err):
		l.Bad(about, fmt.Sprintf("refuses us: %v", err), "correct the setting redis: user, password, number of the database, or the certificate")
		return l
	case err != nil:
		l.Warn(about, fmt.Sprintf("does not answer: %v. Limits are per node, and changes take a second or two", err), "start it, or correct the setting redis")
		return l
	}
	examineServer(ctx, &l, client)
	examineTime(ctx, &l, client)
	return l
}

func examineServer(ctx context.Context, l *finding.List, client *redis.Client) {
	const about = "redis"
	text, err := client.Info(ctx).Result()
	if err != nil {
		l.Warn(about, fmt.Sprintf("does not tell about itself: %v", err), "allow the user INFO")
		return
	}
	said := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, is := strings.Cut(strings.TrimSpace(line), ":"); is {
			said[name] = value
		}
	}
	judgeServer(l, said)
}

// judgeServer judges what INFO says.
func judgeServer(l *finding.List, said map[string]string) {
	const about = "redis"
	version := said["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldestRedis {
		l.Bad(about, "version "+version+" is too old", fmt.Sprintf("use Redis %d or a later one", oldestRedis))
		return
	}
	if role := said["role"]; role == "slave" {
		l.Bad(about, "this server is a replica, which cannot be written", "give the address of the primary")
		return
	}
	used, _ := strconv.ParseInt(said["used_memory"], 10, 64)
	most, _ := strconv.ParseInt(said["maxmemory"], 10, 64)
	policy := said["maxmemory_policy"]
	switch {
	case most > 0 && used*5 > most*4 && policy == "noeviction":
		l.Warn(about, "its memory is nearly full, and with noeviction it then refuses us: limits would be per node", "raise maxmemory, or set maxmemory-policy volatile-ttl")
	case most > 0 && used*5 > most*4:
		l.Warn(about, "its memory is nearly full, and with "+policy+" it throws our counts away: callers would get more than their rate", "raise maxmemory")
	default:
		l.Good(about, "version %s, maxmemory-policy %s", version, policy)
	}
}

// examineTime measures round trips, and between two of them the clocks.
func examineTime(ctx context.Context, l *finding.List, client *redis.Client) {
	const about = "redis"
	var trips []time.Duration
	var ahead time.Duration
	for range 11 {
		began := time.Now()
		theirs, err := client.Time(ctx).Result()
		if err != nil {
			l.Warn(about, fmt.Sprintf("does not tell the time: %v", err), "allow the user TIME")
			return
		}
		trip := time.Since(began)
		if len(trips) == 0 || trip < slices.Min(trips) {
			ahead = theirs.Sub(began.Add(trip / 2))
		}
		trips = append(trips, trip)
	}
	slices.Sort(trips)
	says := fmt.Sprintf("is %s away", trips[len(trips)/2].Round(10*time.Microsecond))
	if trips[len(trips)/2] > slowTrip {
		l.Warn(about, says+", and a limited call asks it once", "run it near the nodes")
	} else {
		l.Good(about, "%s", says)
	}
	l.Clocks("Redis", ahead)
}
