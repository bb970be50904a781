package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/event"
)

// Server serves one handler on sockets, and ends without failing a call.
type Server struct {
	Handler     http.Handler
	Crowd       *Crowd       // bounds the connections
	Certificate *Certificate // nil: plain HTTP
	// Notice is how long it goes on as before after it was told to stop, but
	// for /readyz and an end to lasting connections: whoever balances the load
	// is to notice before the sockets close.
	Notice time.Duration
	// Drain is how long calls under way may then still take.
	Drain time.Duration
	Log   *event.Log
}

// Run serves until the context ends, and then as long as Notice and Drain say.
// It calls ready when connections are answered, and closes the listeners.
func (s *Server) Run(ctx context.Context, listeners []net.Listener, ready func() error) error {
	var draining atomic.Bool
	server := &http.Server{
		Handler:           s.until(&draining),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second,
		MaxHeaderBytes: 12 << 10, // 16 KiB with the request line: net/http adds 4 KiB to whatever it is told
		ErrorLog:       slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: 100},
	}
	if s.Certificate != nil {
		server.TLSConfig = s.Certificate.settings()
	}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- s.serve(server, s.Crowd.admit(l)) }()
	}
	if err := ready(); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("the server stopped: %w", err), server.Close())
	case <-ctx.Done():
	}
	draining.Store(true)
	ctx = context.WithoutCancel(ctx)
	notice, cancel := context.WithTimeout(ctx, s.Notice)
	defer cancel()
	<-notice.Done()
	return s.end(ctx, server)
}

func (s *Server) serve(server *http.Server, l net.Listener) error {
	if s.Certificate != nil {
		return server.ServeTLS(l, "", "")
	}
	return server.Serve(l)
}

// until is the handler, with a balancer told to go elsewhere once it drains.
// Each connection ends with the answer that it waits for: closing an idle one
// could meet a call that is on its way.
func (s *Server) until(draining *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if draining.Load() {
			w.Header().Set("Connection", "close")
			if r.URL.Path == "/readyz" {
				plain(w, http.StatusServiceUnavailable, "stopping")
				return
			}
		}
		s.Handler.ServeHTTP(w, r)
	})
}

// end lets calls under way end. Whoever is still connected after that was
// given its time.
func (s *Server) end(ctx context.Context, server *http.Server) error {
	grace, cancel := context.WithTimeout(ctx, s.Drain)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		s.Log.Note("calls were cut off at the end of the drain")
		_ = server.Close() // what it says is about connections that are gone
	}
	return nil
}
