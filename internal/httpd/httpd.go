// Package httpd owns the socket's side of a call: connections and their number,
// TLS, an end that fails no call, which route a request is for, the bounded
// body, the caller's real address, cross-origin rules and health. What a
// request means is the gateway's and the dialects' business.
package httpd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/fault"
)

const (
	bodyLimit   = 64 << 10 // bytes, for routes that name none
	targetLimit = 4 << 10  // bytes of the request target: path and query
	fieldLimit  = 64       // header fields; their bytes are the server's to bound
)

// Gateway answers one call.
type Gateway interface {
	Serve(d *dialect.Dialect, r *dialect.Route, req *dialect.Request, arrival error) dialect.Reply
}

// Face is everything that is served on one listener.
type Face struct {
	Gateway  Gateway
	Dialects []*dialect.Dialect
	Pages    map[string]http.Handler // by ServeMux pattern: pages for people
	Ready    func(*http.Request) error
	Degraded func() string   // what is not well although calls are served; nil is nothing
	Origins  func() []string // browser origins that may call now; "*" is any
	Proxies  []netip.Prefix  // whose forwarded headers are believed
	Log      *event.Log
	Now      func() time.Time
}

// Handler builds the whole tree. Two routes with the same method and path are
// an error.
func (f *Face) Handler() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/livez", short(looked(func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })))
	mux.Handle("/readyz", short(looked(f.ready)))
	for pattern, page := range f.Pages {
		page = short(page)
		mux.Handle(pattern, page)
		if bare, isTree := strings.CutSuffix(pattern, "/"); isTree {
			mux.Handle(bare, page)
		}
	}
	for _, d := range f.Dialects {
		if err := f.mount(mux, d); err != nil {
			return nil, err
		}
	}
	mux.Handle("/", short(http.HandlerFunc(nothing)))
	return f.recovered(bounded(clean(f.cors(mux), f.Dialects, f))), nil
}

// mount registers a dialect's paths, and its prefixes for the paths that do
// not exist; what comes before the slash of a prefix or of a wildcard for the
// whole rest too, since the mux would answer those with a redirect.
func (f *Face) mount(mux *http.ServeMux, d *dialect.Dialect) error {
	paths := map[string]methods{}
	for i := range d.Routes {
		r := &d.Routes[i]
		if paths[r.Path] == nil {
			paths[r.Path] = methods{}
		}
		if paths[r.Path][r.Method] != nil {
			return fmt.Errorf("%s serves %s %s twice", d.Name, r.Method, r.Path)
		}
		paths[r.Path][r.Method] = r
	}
	trees := slices.Clone(d.Owns)
	for p, m := range paths {
		mux.Handle(p, &endpoint{face: f, dialect: d, methods: m})
		if strings.HasSuffix(p, "...}") {
			trees = append(trees, p[:strings.LastIndexByte(p, '/')+1])
		}
	}
	for _, prefix := range d.Owns {
		mux.Handle(prefix, &endpoint{face: f, dialect: d})
	}
	for _, prefix := range trees {
		if bare := strings.TrimSuffix(prefix, "/"); paths[bare] == nil {
			mux.Handle(bare, &endpoint{face: f, dialect: d})
		}
	}
	return nil
}

// methods are the routes of one path.
type methods map[string]*dialect.Route

func (m methods) list() []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// endpoint is one path of a dialect, or the rest of a prefix that it owns.
type endpoint struct {
	face    *Face
	dialect *dialect.Dialect
	methods methods
}

// The routes that calls for nothing are booked under.
var (
	noRoute  = &dialect.Route{Label: "no-route"}
	noMethod = &dialect.Route{Label: "no-method"}
)

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := e.face.request(r)
	route := e.methods[r.Method]
	var arrival error
	switch {
	case len(e.methods) == 0:
		route, arrival = noRoute, fault.New(fault.NoRoute)
	case route == nil:
		route, arrival = noMethod, fault.New(fault.Method)
		w.Header().Set("Allow", strings.Join(e.methods.list(), ", "))
	case len(r.RequestURI) > targetLimit: // refused in the words of the dialect
		arrival = fault.New(fault.TooLarge)
	default:
		req.Data, arrival = body(w, r, route)
	}
	sent := false
	req.Late = func(reply dialect.Reply) {
		sent = true
		w.Header().Set("Connection", "close") // the next call would wait behind this one
		send(w, req, reply)
		_ = http.NewResponseController(w).Flush() // as after send: nobody is left to tell
	}
	if reply := e.face.Gateway.Serve(e.dialect, route, req, arrival); !sent {
		send(w, req, reply)
	}
}

func (f *Face) request(r *http.Request) *dialect.Request {
	now := f.Now()
	return &dialect.Request{Request: r, Peer: peer(r, f.Proxies), At: now, ID: closing.NewID(now)}
}

// body takes the whole body within the route's bound.
func body(w http.ResponseWriter, r *http.Request, route *dialect.Route) ([]byte, error) {
	// Of two, a proxy may have read the other one.
	if len(r.Header.Values("Content-Type")) > 1 || len(r.Header.Values("Content-Encoding")) > 1 {
		return nil, fault.New(fault.MediaType)
	}
	if err := route.Accepts(r); err != nil {
		return nil, err
	}
	limit := route.Body
	if limit == 0 {
		limit = bodyLimit
	}
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the rest is not read, so the connection cannot go on
		return nil, fault.New(fault.TooLarge)
	}
	data, err := read(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fault.New(fault.TooLarge)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Malformed, errors.New("the body could not be read to its end"))
	}
	return data, nil
}

// read is io.ReadAll with the size known beforehand, where the caller says it.
func read(r io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return io.ReadAll(r)
	}
	data := make([]byte, size)
	n, err := io.ReadFull(r, data)
	return data[:n], err
}

// Fields of every answer, made once.
var (
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"} // every answer is about somebody's person, money or token
)

func send(w http.ResponseWriter, req *dialect.Request, reply dialect.Reply) {
	h := w.Header()
	for name, values := range reply.Header {
		h[name] = values
	}
	h.Set("Content-Type", reply.Type)
	h.Set("Content-Length", strconv.Itoa(len(reply.Body)))
	h.Set("X-Request-Id", req.ID)
	h["X-Content-Type-Options"], h["Cache-Control"] = noSniff, noStore
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // after the commit only the socket can fail, and nobody is left to tell
}

func (f *Face) ready(w http.ResponseWriter, r *http.Request) {
	if err := f.Ready(r); err != nil {
		f.Log.Fail("not ready", err)
		plain(w, http.StatusServiceUnavailable, "not ready: see the log")
		return
	}
	if f.Degraded != nil {
		if what := f.Degraded(); what != "" {
			plain(w, http.StatusOK, "degraded: "+what)
			return
		}
	}
	plain(w, http.StatusOK, "ok")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

// looked lets a page that only shows something be called to look at it, and
// for nothing else.
func looked(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "the method must be GET")
			return
		}
		next(w, r)
	}
}

// nothing answers paths that no dialect owns.
func nothing(w http.ResponseWriter, _ *http.Request) {
	problem(w, http.StatusNotFound, "Nothing is served at this path.")
}

// problem answers where no dialect does, as problem details (RFC 9457).
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"title":%q,"status":%d,"detail":%q}`, http.StatusText(status), status, detail)
}

// short refuses addresses that are longer than any honest client's.
func short(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > targetLimit {
			problem(w, http.StatusRequestURITooLong, "The address of the request is too long.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bounded refuses requests with more fields than any honest client's.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields := 0
		for _, values := range r.Header {
			fields += len(values)
		}
		if fields > fieldLimit {
			problem(w, http.StatusRequestHeaderFieldsTooLarge, "The request has too many header fields.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// clean refuses paths with doubled slashes or dots before the mux would
// redirect them: a redirected POST loses its body in many clients, and a path
// that reads differently to a proxy must not reach a handler.
func clean(next http.Handler, dialects []*dialect.Dialect, f *Face) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		if p == "" { // CONNECT, and absolute addresses of a host alone
			nothing(w, r)
			return
		}
		if path.Clean(p) == strings.TrimSuffix(p, "/") || p == "/" {
			next.ServeHTTP(w, r)
			return
		}
		for _, d := range dialects {
			for _, prefix := range d.Owns {
				if strings.HasPrefix(path.Clean("/"+p)+"/", prefix) {
					(&endpoint{face: f, dialect: d}).ServeHTTP(w, r)
					return
				}
			}
		}
		nothing(w, r)
	})
}

// recovered is the last net: the gateway has its own, so this one is for bugs
// of this package and of pages.
func (f *Face) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			f.Log.Fail("panic outside of a call", fmt.Errorf("a value of type %T", p))
			plain(w, http.StatusServiceUnavailable, "something of ours failed")
		}()
		next.ServeHTTP(w, r)
	})
}
