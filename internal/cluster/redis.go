package cluster

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/seal"
)

const (
	// deadline bounds each question that a call waits for.
	deadline = 50 * time.Millisecond
	// probeEvery is how often Redis is tried.
	probeEvery = 500 * time.Millisecond
	// patience bounds what nobody's call waits for.
	patience = time.Second
	// connections are enough for as many questions at once; a caller that finds
	// all of them busy for the deadline does without Redis.
	connections = 128
)

// errAway means that Redis did not answer in time, or not as it should.
var errAway = errors.New("redis does not answer")

// Redis is the part of what nodes share that may be lost at any time. Once it
// has failed it is left alone, so that nobody waits for it, and only tried in
// the background until it answers again.
type Redis struct {
	client *redis.Client
	prefix string // of keys and channels, one for each installation
	log    *event.Log

	away    atomic.Bool
	within  atomic.Int64  // nanoseconds that a call waits; deadline, but in tests
	failed  chan struct{} // holds one word at most
	publish chan struct{} // as well
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Connect checks the address (redis://, rediss:// or unix://) and what can be
// known of the server. A server that is not there now is no error, one that
// refuses us is: wrong password, no such database, a certificate that nobody
// vouches for. No error names the password.
func Connect(ctx context.Context, url string, keys *seal.Keyring, log *event.Log) (*Redis, error) {
	client, err := newClient(url)
	if err != nil {
		return nil, err
	}
	r := &Redis{
		client: client, prefix: prefix(keys), log: log,
		failed: make(chan struct{}, 1), publish: make(chan struct{}, 1),
	}
	r.within.Store(int64(deadline))
	if err := r.try(ctx, patience); err != nil {
		if refused(err) {
			return nil, errors.Join(fmt.Errorf("redis refuses us: %w\nCorrect the setting redis: user, password, number of the database, or the certificate", err), client.Close())
		}
		r.lose(err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	r.running.Go(func() { r.probe(run) })
	r.running.Go(func() { r.speak(run) })
	return r, nil
}

// Close ends all work on the connection.
func (r *Redis) Close() {
	r.stop()
	r.running.Wait()
	_ = r.client.Close() // nothing is under way that could be lost
}

// Away tells whether Redis failed and has not answered since.
func (r *Redis) Away() bool { return r.away.Load() }

var quiet = sync.OnceFunc(func() { redis.SetLogger(&logging.VoidLogger{}) })

// newClient never tries anything twice: whoever asks has something else to do
// when Redis fails.
func newClient(url string) (*redis.Client, error) {
	quiet() // what matters of it we say ourselves
	options, err := redis.ParseURL(url)
	if err != nil {
		// The library's text may quote the address, and with it the password.
		return nil, errors.New("the setting redis is not an address of Redis: it must be like redis://user:password@host:6379/0, rediss://… or unix:///path")
	}
	options.MaxRetries, options.DialerRetries = -1, 1
	options.ContextTimeoutEnabled = true
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = patience, patience, patience
	options.PoolSize, options.MaxActiveConns, options.PoolTimeout = connections, connections, deadline
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(options), nil
}

// prefix keeps installations apart that use one database of one server.
func prefix(keys *seal.Keyring) string {
	return "dargah:" + hex.EncodeToString(keys.Hash("cluster", "redis")[:6]) + ":"
}

// refused tells whether the server, or our check of it, said no to us for a
// reason that no waiting changes.
func refused(err error) bool {
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	if errors.As(err, &certificate) || errors.As(err, &alert) {
		return true
	}
	text := err.Error()
	for _, sign := range []string{"WRONGPASS", "NOAUTH", "NOPERM", "invalid password", "AUTH <password> called without any password", "DB index is out of range", "invalid DB index"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// run runs a script on a key, in the time that a call can spare.
func (r *Redis) run(script *redis.Script, key string, args ...any) (int64, error) {
	if r.away.Load() {
		return 0, errAway
	}
	// Not the caller's context: one that hangs up must not cost a connection.
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.within.Load()))
	defer cancel()
	n, err := script.Run(ctx, r.client, []string{r.prefix + key}, args...).Int64()
	if err != nil {
		r.lose(err)
		return 0, errAway
	}
	return n, nil
}

// try does what calls do, so that a server that answers and cannot be written
// (read only, out of memory) is away.
func (r *Redis) try(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return take.Run(ctx, r.client, []string{r.prefix + "probe"}, probeRate).Err()
}

func (r *Redis) lose(err error) {
	if !r.away.CompareAndSwap(false, true) {
		return
	}
	r.log.Fail("redis is away: each node grants its part of the rates, and changes arrive within a second or two", err)
	select {
	case r.failed <- struct{}{}:
	default:
	}
}

// probe finds out when a Redis that failed is back, and when one fails that
// nobody asks anything.
func (r *Redis) probe(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.failed:
		case <-tick.C:
		}
		within := time.Duration(r.within.Load())
		if !r.away.Load() {
			within = patience // it is for the calls to say what is too slow
		}
		err := r.try(ctx, within)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.lose(err)
		case r.away.CompareAndSwap(true, false):
			r.log.Note("redis is back")
		}
	}
}
