package courier

import (
	"context"
	"net"
	"net/http"
	"time"
)

// HTTP is the client's own, behind the check of URLs.
func (c *Client) HTTP() *http.Client { return &c.http }

// SetPatience makes all bounds of time this.
func (c *Client) SetPatience(d time.Duration) { c.http.Timeout = d }

// SetDial has it connect by a test's own means, unchecked.
func (c *Client) SetDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.http.Transport.(*http.Transport).DialContext = dial
}

// LongestBody is how much of an answer is read.
const LongestBody = longestBody

// Lanes are attempts at one webhook at the same time.
const Lanes = lanes
