package dialecttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// Server is a running server that serves the dialect under test.
type Server interface {
	Address() string // http://127.0.0.1:port
}

// Run is the suite that every dialect passes, over each of its routes.
func Run(t *testing.T, d *dialect.Dialect, server Server) {
	t.Run("faults", func(t *testing.T) { table(t, d) })
	t.Run("routes", func(t *testing.T) { routes(t, d) })
	t.Run("order", func(t *testing.T) { order(t, d, server) })
	t.Run("bytes", func(t *testing.T) { bad(t, d, server) })
}

// speaker words faults: a dialect, or one of its routes that differs.
type speaker struct {
	name  string
	route *dialect.Route // nil for the dialect itself
	word  func(*dialect.Request, *fault.Error) dialect.Reply
}

func speakers(d *dialect.Dialect) []speaker {
	list := []speaker{{"the dialect", nil, d.Refuse}}
	for i := range d.Routes {
		list = append(list, ofRoute(d, &d.Routes[i]))
	}
	return list
}

func ofRoute(d *dialect.Dialect, r *dialect.Route) speaker {
	s := speaker{r.Method + " " + r.Path, r, r.Refuse}
	if s.word == nil {
		s.word = d.Refuse
	}
	return s
}

// say words a fault for a request as the gateway would show it.
func (s speaker) say(f *fault.Error) dialect.Reply {
	method, path := http.MethodPost, "/"
	if s.route != nil {
		method, path = s.route.Method, s.route.Path
	}
	request, err := http.NewRequestWithContext(context.Background(), method, path, http.NoBody)
	if err != nil {
		panic("dialecttest: a route that is no address: " + err.Error())
	}
	return s.word(&dialect.Request{
		Request: request, At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), ID: "CALL-OF-THE-SUITE", Trace: 1_234_567_890,
	}, f)
}

// style is what all refusals of a kind have in common.
type style struct {
	status  int
	media   string
	members string // names at the top of the JSON object, in order
}

func styleOf(status int, contentType string, body []byte) (style, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return style{}, fmt.Errorf("content type %q: %w", contentType, err)
	}
	if media == plainText {
		return style{status, media, ""}, oneLine(body)
	}
	if !strings.HasSuffix(media, "json") {
		return style{}, fmt.Errorf("content type %q, want JSON", contentType)
	}
	if !json.Valid(body) {
		return style{}, fmt.Errorf("the body is not JSON: %q", body)
	}
	s, err := readShape(body)
	if err != nil {
		return style{}, fmt.Errorf("the body: %w", err)
	}
	if s.kind != "object" {
		return style{}, fmt.Errorf("the body is not a JSON object: %s", body)
	}
	return style{status, media, strings.Join(s.names, ",")}, nil
}

// plainText is how interfaces answer that are older than JSON: a word, or a
// number, on a line.
const plainText = "text/plain"

func oneLine(body []byte) error {
	if line := string(body); line == "" || strings.TrimSpace(line) != line || strings.ContainsAny(line, "\r\n") {
		return fmt.Errorf("the body is not one line: %q", body)
	}
	return nil
}

// styles are all the styles in which a dialect refuses.
func styles(d *dialect.Dialect) map[style]bool {
	all := map[style]bool{}
	for _, s := range speakers(d) {
		for _, code := range fault.Codes() {
			for _, f := range variants(code) {
				reply := s.say(f)
				if one, err := styleOf(reply.Status, reply.Type, reply.Body); err == nil {
					all[one] = true
				}
			}
		}
	}
	return all
}

// behindToken tells whether a route takes a bearer token from the header.
func behindToken(r *dialect.Route) bool {
	request, err := http.NewRequestWithContext(context.Background(), r.Method, r.Path, http.NoBody)
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer x")
	shown, err := r.Who(&dialect.Request{Request: request})
	_, bearer := shown.(admission.Bearer)
	return err == nil && bearer
}

// caller sends requests to the server under test.
type caller struct {
	server  Server
	dialect *dialect.Dialect
	styles  map[style]bool
	client  *http.Client
	// token is a good Authorization header for the route at hand, so that bad
	// bytes reach its decoder; empty where the route takes none.
	token string
}

func newCaller(d *dialect.Dialect, server Server) *caller {
	return &caller{server: server, dialect: d, styles: styles(d), client: &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true, ExpectContinueTimeout: patience},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// call is one request that must be refused in the dialect's style.
type call struct {
	method, path string
	header       http.Header
	body         []byte
	chunked      bool
}

// refused sends one and gives what came, which must be in the dialect's style.
func (c *caller) refused(t *testing.T, one call) got {
	t.Helper()
	g := c.send(t, one)
	if err := inStyle(c.styles, g); err != nil {
		t.Errorf("%s %s: status %d: %v", one.method, one.path, g.status, err)
	}
	return g
}

// inStyle checks that a reply is one of the dialect's refusals of a caller.
func inStyle(known map[style]bool, g got) error {
	s, err := styleOf(g.status, g.header.Get("Content-Type"), g.body)
	switch {
	case err != nil:
		return err
	case g.status >= http.StatusInternalServerError:
		return fmt.Errorf("a 5xx for the caller's mistake: %s", g.body)
	case !known[s]:
		return fmt.Errorf("%+v is not how this dialect refuses: %s", s, g.body)
	}
	return nil
}

func (c *caller) send(t *testing.T, one call) got {
	t.Helper()
	var body io.Reader = bytes.NewReader(one.body)
	if one.chunked {
		body = io.MultiReader(body) // hides the length
	}
	address := c.server.Address() + strings.TrimSuffix(one.path, "{$}") // which stands for the end of a path
	request, err := http.NewRequestWithContext(t.Context(), one.method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	if one.header != nil {
		request.Header = one.header
	}
	if c.token != "" && request.Header.Get("Authorization") == "" {
		request.Header.Set("Authorization", c.token)
	}
	reply, err := c.client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", one.method, one.path, err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatalf("%s %s: read the reply: %v", one.method, one.path, err)
	}
	return got{reply.StatusCode, reply.Header, text}
}
