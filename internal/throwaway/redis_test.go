//go:build unix

package throwaway_test

import (
	"net"
	"strconv"
	"testing"

	"dargah.dev/dargah/internal/throwaway"
)

func TestRedis(t *testing.T) {
	t.Parallel()
	server := throwaway.StartRedis(t)
	for what, end := range map[string]func(testing.TB){"stopped": server.Stop, "killed": server.Kill} {
		server.Do(t, "SET", "x", "1")
		if got := server.Do(t, "GET", "x"); got != "1" {
			t.Fatalf("%v", got)
		}
		end(t)
		if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port))); err == nil {
			_ = conn.Close()
			t.Errorf("%s, and still there", what)
		}
		server.Start(t)
		if got := server.Do(t, "GET", "x"); got != nil {
			t.Errorf("%s, and not empty: %v", what, got)
		}
	}
	server.Do(t, "SET", "x", "1")
	server.Flush(t)
	if got := server.Do(t, "GET", "x"); got != nil {
		t.Errorf("flushed, and not empty: %v", got)
	}
}
