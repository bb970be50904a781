package cli

import (
	"fmt"
	"net"
	"os"
)

// notify tells the service manager how this process is (sd_notify(3)). Without
// one it does nothing.
func notify(state string) error {
	at := os.Getenv("NOTIFY_SOCKET") // a path, or an abstract name with @
	if at == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(state)); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
