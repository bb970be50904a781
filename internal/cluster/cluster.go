// Package cluster owns what the nodes of one installation share beside the
// database: rate windows and signals over Redis, who is alive, who does the
// periodic work, and noticing what others changed.
//
// The database decides everything that must be right. Redis makes limits exact
// over all nodes and news fast; without it limits hold per node and news takes
// a second or two. What is changed, and what is reloaded then, belongs to
// others.
package cluster

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/limit"
	"dargah.dev/dargah/internal/seal"
)

// pace is how often a node looks for changes, and says that it is alive.
const pace = time.Second

// Options is what a node joins with. Keys, Table, Versions and Log are needed.
type Options struct {
	Redis string // its address; empty for none
	Keys  *seal.Keyring
	Table Table
	// Several tells whether there may be other nodes. A database that lets in
	// one process at a time needs no lease, and no write a second for it.
	Several bool
	// Versions gives a number for each kind of thing that others may change.
	Versions func(context.Context) (map[string]int64, error)
	// Reload is called with a kind whose number is not the one before, after it
	// was read. It must not keep calls waiting. What fails is tried again.
	Reload map[string]func(context.Context) error
	Chores []Chore
	Log    *event.Log
}

// Chore is work that one node does for all.
type Chore struct {
	Name  string
	Every time.Duration // at least a second
	// Do may be cut short, and may now and then be done twice at once: by a
	// node that lost its lease without noticing, and by the next.
	Do func(context.Context) error
}

// Node is this process among the others.
type Node struct {
	options Options
	id      string
	redis   *Redis // nil without
	limiter limiter
	alive   *alive
	lease   *lease
	look    chan struct{} // holds one word at most
	have    map[string]int64
	stop    context.CancelFunc
	running sync.WaitGroup
}

type limiter interface {
	Take(key string, perSecond int) (ok bool, after time.Duration)
	Give(key string, perSecond int)
}

// Join makes this process a node. It fails where the settings are wrong or the
// versions cannot be read, not where Redis is away. What it reloads must be
// loaded after Join and before Run.
func Join(ctx context.Context, o Options) (*Node, error) {
	n := &Node{options: o, id: rand.Text(), look: make(chan struct{}, 1), limiter: &limit.Memory{}}
	n.alive = &alive{table: o.Table, id: n.id, now: time.Now}
	n.lease = newLease(o.Table, "chores", n.id, time.Now)
	var err error
	if n.have, err = o.Versions(ctx); err != nil {
		return nil, err
	}
	if o.Redis != "" {
		if n.redis, err = Connect(ctx, o.Redis, o.Keys, o.Log); err != nil {
			return nil, err
		}
		n.limiter = &limit.Shared{Remote: n.redis, Nodes: n.alive.count}
	} else if o.Several {
		n.limiter = &limit.Shared{Remote: nobody{}, Nodes: n.alive.count}
	}
	return n, nil
}

// nobody is the remote of nodes without one: rates hold per node, each with its
// part.
type nobody struct{}

func (nobody) Take(string, int) (bool, time.Duration, error) { return false, 0, errAway }
func (nobody) Give(string, int)                              {}

// Run starts the node's own work, which ends with Close.
func (n *Node) Run(ctx context.Context) {
	ctx, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	n.running.Go(func() { n.watch(ctx) })
	for _, chore := range n.options.Chores {
		n.running.Go(func() { n.repeat(ctx, chore) })
	}
	if n.options.Several {
		n.running.Go(func() { n.beat(ctx) })
	}
	if n.redis != nil {
		n.running.Go(func() { n.redis.listen(ctx, n.Look) })
	}
}

// Close ends the node's work and lets the others go on at once.
func (n *Node) Close() {
	if n.stop != nil {
		n.stop()
		n.running.Wait()
	}
	if n.options.Several {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		n.lease.drop(ctx) // what fails here the others find out by waiting
		n.alive.leave(ctx)
	}
	if n.redis != nil {
		n.redis.Close()
	}
}

// Limiter counts calls, over all nodes where that can be had.
func (n *Node) Limiter() interface {
	Take(key string, perSecond int) (ok bool, after time.Duration)
	Give(key string, perSecond int)
} {
	return n.limiter
}

// Failures counts wrong passwords over all nodes; nil where nothing can.
func (n *Node) Failures() *Failures {
	if n.redis == nil {
		return nil
	}
	return &Failures{redis: n.redis, keys: n.options.Keys}
}

// Signal tells all nodes that something was changed in the database. It does
// not wait.
func (n *Node) Signal() {
	if n.redis != nil {
		n.redis.Signal()
	}
	n.Look()
}

// Degraded says in a few words what is not as it should be, though calls are
// served; empty if all is well.
func (n *Node) Degraded() string {
	if n.redis != nil && n.redis.Away() {
		return "redis is away: limits are per node"
	}
	return ""
}

// Look makes this node look for changes now.
func (n *Node) Look() {
	select {
	case n.look <- struct{}{}:
	default:
	}
}
