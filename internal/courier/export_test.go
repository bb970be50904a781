package courier

import (
	"net/http"
	"time"
)

// HTTP is the client's own, behind the check of URLs.
func (c *Client) HTTP() *http.Client { return &c.http }

// SetPatience makes all bounds of time this.
func (c *Client) SetPatience(d time.Duration) { c.http.Timeout = d }

// Lanes are attempts at one webhook at the same time.
const Lanes = lanes
