package dialecttest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// bodyLimit is what routes that name no limit take, in bytes.
const bodyLimit = 64 << 10

// bad sends what no honest client sends, over the wire.
func bad(t *testing.T, d *dialect.Dialect, server Server) {
	c := newCaller(d, server)
	for i := range d.Routes {
		r := &d.Routes[i]
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			c.token = ""
			if behindToken(r) {
				if c.token = honest(t, d, server, r); c.token == "" {
					t.Fatal("no file shows a good token for this route")
				}
			}
			if r.Method == http.MethodPost {
				c.broken(t, r)
				c.mediaTypes(t, r)
				c.sizes(t, r)
			}
			if behindToken(r) {
				c.twoTokens(t, r)
			}
			c.methods(t, r.Path)
		})
	}
	c.token = ""
	t.Run("unknown paths", c.unknown)
}

// broken sends bodies that are no message, or not this route's.
func (c *caller) broken(t *testing.T, r *dialect.Route) {
	for _, one := range brokenBodies(r) {
		t.Run(one.name, func(t *testing.T) {
			for _, body := range one.bodies {
				header := typed(r)
				if len(body) > limitOf(r) {
					header = asking100(r)
				}
				c.refused(t, call{method: r.Method, path: r.Path, header: header, body: body})
			}
		})
	}
}

func typed(r *dialect.Route) http.Header {
	return http.Header{"Content-Type": {r.Types[0]}}
}

func (c *caller) mediaTypes(t *testing.T, r *dialect.Route) {
	want := ofRoute(c.dialect, r).say(fault.New(fault.MediaType)).Status
	body := skeletons(r)[0]
	for _, media := range []string{
		"application/xml", "text/plain", "multipart/form-data; boundary=x", "application/", "text/html",
		r.Types[0] + "; charset=utf-16", r.Types[0] + "; charset",
	} {
		g := c.refused(t, call{method: r.Method, path: r.Path, header: http.Header{"Content-Type": {media}}, body: body})
		if g.status != want {
			t.Errorf("content type %q: status %d, want %d", media, g.status, want)
		}
	}
	for _, encoding := range []string{"gzip", "br", "gzip, identity"} {
		header := typed(r)
		header.Set("Content-Encoding", encoding)
		if g := c.refused(t, call{method: r.Method, path: r.Path, header: header, body: body}); g.status != want {
			t.Errorf("content encoding %q: status %d, want %d", encoding, g.status, want)
		}
	}
}

// sizes sends one body of the limit and two beyond it. It asks before it sends a
// body, since a server that refuses one unread closes the connection on it.
func (c *caller) sizes(t *testing.T, r *dialect.Route) {
	limit := limitOf(r)
	for _, chunked := range []bool{false, true} {
		for over, body := range map[bool][]byte{false: padded(r, limit), true: padded(r, limit+1)} {
			g := c.refused(t, call{method: r.Method, path: r.Path, header: asking100(r), body: body, chunked: chunked})
			if (g.status == http.StatusRequestEntityTooLarge) != over {
				t.Errorf("%d bytes, limit %d, chunked %t: status %d", len(body), limit, chunked, g.status)
			}
		}
	}
	if g := c.refused(t, call{method: r.Method, path: r.Path, header: asking100(r), body: padded(r, 4*limit)}); g.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d bytes, limit %d: status %d", 4*limit, limit, g.status)
	}
}

// limitOf is how many bytes a route's body may have.
func limitOf(r *dialect.Route) int {
	if r.Body == 0 {
		return bodyLimit
	}
	return int(r.Body)
}

// asking100 is for bodies that may be refused unread.
func asking100(r *dialect.Route) http.Header {
	header := typed(r)
	header.Set("Expect", "100-continue")
	return header
}

// padded is a well-formed body of exactly so many bytes.
func padded(r *dialect.Route, size int) []byte {
	before, after := `{"padding":"`, `"}`
	if isForm(r) {
		before, after = "padding=", ""
	}
	return []byte(before + strings.Repeat("x", size-len(before)-len(after)) + after)
}

// twoTokens: of two headers, something between us and the caller may have
// looked at the other one.
func (c *caller) twoTokens(t *testing.T, r *dialect.Route) {
	header := http.Header{"Authorization": {c.token, c.token}}
	if len(r.Types) > 0 {
		header.Set("Content-Type", r.Types[0])
	}
	if g := c.refused(t, call{method: r.Method, path: r.Path, header: header, body: skeletonOrNothing(r)}); g.status != http.StatusUnauthorized {
		t.Errorf("two Authorization headers: status %d, want 401", g.status)
	}
}

func skeletonOrNothing(r *dialect.Route) []byte {
	if r.Method == http.MethodGet {
		return nil
	}
	return skeletons(r)[0]
}

func (c *caller) methods(t *testing.T, path string) {
	var served []string
	for _, r := range c.dialect.Routes {
		if r.Path == path {
			served = append(served, r.Method)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if slices.Contains(served, method) {
			continue
		}
		g := c.refused(t, call{method: method, path: path})
		allow := strings.Split(strings.ReplaceAll(g.header.Get("Allow"), " ", ""), ",")
		for _, one := range served {
			if g.status != http.StatusMethodNotAllowed || !slices.Contains(allow, one) {
				t.Errorf("%s: status %d with Allow %q, want 405 with %s", method, g.status, allow, one)
			}
		}
	}
}

func (c *caller) unknown(t *testing.T) {
	for _, prefix := range c.dialect.Owns {
		for _, rest := range []string{"no-such-path", "no/such/path", "no-such-path/", "no//such-path", "no/../such-path", "%00", "%ff", "نیست"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				if g := c.refused(t, call{method: method, path: prefix + rest}); g.status != http.StatusNotFound {
					t.Errorf("%s %s: status %d, want 404", method, prefix+rest, g.status)
				}
			}
		}
	}
}
