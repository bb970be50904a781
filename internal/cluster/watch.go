package cluster

import (
	"context"
	"fmt"
	"time"
)

// lookWithin bounds one look for changes, so that a database that hangs is not
// asked by more and more.
const lookWithin = 2 * time.Second

// watch looks for changes at each signal, and every second besides.
func (n *Node) watch(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.look:
		case <-tick.C:
		}
		err := n.catchUp(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			n.options.Log.Fail("changes cannot be seen: what is known stays in force", err)
		}
		if err == nil && failing {
			n.options.Log.Note("changes can be seen again")
		}
		failing = err != nil
	}
}

// catchUp reloads what changed. A number counts as seen once its kind is
// reloaded; one that fell is another database's, and as new as one that rose.
func (n *Node) catchUp(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	versions, err := n.options.Versions(within)
	if err != nil {
		return err
	}
	var failed error
	for kind, reload := range n.options.Reload {
		number := versions[kind]
		if number == n.have[kind] {
			continue
		}
		if err := reload(ctx); err != nil {
			failed = fmt.Errorf("reload the %s: %w", kind, err)
			continue
		}
		n.have[kind] = number
	}
	return failed
}
