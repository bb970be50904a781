package fault_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer gives calls to its nodes in turn. A node whose /readyz is not 200
// gets none. It repeats nothing: a call that a node drops is lost.
type balancer struct {
	address string
	nodes   []*node
	ready   []atomic.Bool
	turn    atomic.Uint64
}

// lookEvery is how often the balancer asks its nodes whether they are ready.
const lookEvery = 100 * time.Millisecond

func newBalancer(t testing.TB, nodes ...*node) *balancer {
	t.Helper()
	b := &balancer{nodes: nodes, ready: make([]atomic.Bool, len(nodes))}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = l.Addr().String()
	server := &http.Server{ReadHeaderTimeout: patience, Handler: &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(b.next()); r.Out.GetBody = nil },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: patience},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "balancer: "+err.Error(), http.StatusBadGateway)
		},
	}}
	ctx, end := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range nodes {
		b.look(ctx, i)
		all.Go(func() {
			for tick := time.Tick(lookEvery); ctx.Err() == nil; {
				select {
				case <-tick:
					b.look(ctx, i)
				case <-ctx.Done():
				}
			}
		})
	}
	all.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		end()
		_ = server.Close()
		all.Wait()
	})
	return b
}

func (b *balancer) look(ctx context.Context, i int) {
	status, err := b.nodes[i].look(ctx, "/readyz")
	b.ready[i].Store(err == nil && status == http.StatusOK)
}

// next is the node whose turn it is, or any where none is ready.
func (b *balancer) next() *url.URL {
	turn := int(b.turn.Add(1) % uint64(len(b.nodes)))
	chosen := b.nodes[turn]
	for i := range b.nodes {
		if at := (turn + i) % len(b.nodes); b.ready[at].Load() {
			chosen = b.nodes[at]
			break
		}
	}
	return &url.URL{Scheme: "http", Host: chosen.address}
}
