// Package throwaway owns the servers that tests start for themselves and throw
// away: found among the programs of the machine, run in a temporary folder,
// gone with the test process however that ends.
//
// What is done with such a server is left to the tests.
package throwaway

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// required is the environment variable that makes a missing server a failure.
const required = "REQUIRE_SERVERS"

// Lack skips the test, or fails it where all servers are said to be there.
func Lack(t testing.TB, reason error) {
	t.Helper()
	if os.Getenv(required) == "1" {
		t.Fatalf("%v, and %s=1 asks for it", reason, required)
	}
	t.Skip(reason)
}

// find gives the path of a program, from PATH or from folders that may hold it.
func find(program string, folders ...string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return filepath.EvalSymlinks(path)
	}
	for _, folder := range folders {
		if path, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed here", program)
}

// FreeAddress gives a host:port of the loopback that nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// freePort gives a port of the loopback that nobody listens on. It is below
// those that the system gives to outgoing connections: a client that tries
// again and again to reach a stopped server could otherwise be given the very
// port it calls, and be connected to itself.
func freePort() (int, error) {
	const lowest, highest = 15_000, 32_000
	var err error
	for range 100 {
		port := lowest + rand.IntN(highest-lowest)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
