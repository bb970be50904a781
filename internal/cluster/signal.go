package cluster

import (
	"context"

	"github.com/redis/go-redis/v9"

	"dargah.dev/dargah/internal/seal"
)

// Signal tells every node that something was changed in the database, so that
// they look at once and not within a second. It is for commands; it never
// fails one, since the nodes look by themselves. An empty url is no Redis.
func Signal(ctx context.Context, url string, keys *seal.Keyring) {
	if url == "" {
		return
	}
	client, err := newClient(url)
	if err != nil {
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = client.Publish(ctx, prefix(keys)+channel, "").Err()
}

const channel = "changes"

// Signal tells every node, this one too. It does not wait; several that come
// together are one.
func (r *Redis) Signal() {
	select {
	case r.publish <- struct{}{}:
	default:
	}
}

func (r *Redis) speak(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.publish:
		}
		within, cancel := context.WithTimeout(ctx, patience)
		_ = r.client.Publish(within, r.prefix+channel, "").Err() // the others look by themselves
		cancel()
	}
}

// listen calls heard at each signal until the context ends, and whenever it
// could have missed one: at the first connection and at every new one.
func (r *Redis) listen(ctx context.Context, heard func()) {
	signals := r.client.Subscribe(ctx, r.prefix+channel)
	defer context.AfterFunc(ctx, func() { _ = signals.Close() })()
	for range signals.ChannelWithSubscriptions(redis.WithChannelHealthCheckInterval(patience)) {
		heard()
	}
}
