package dialect

import (
	"errors"
	"mime"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/strict"
)

// Request is one call as a dialect sees it: its body is whole and bounded, its
// peer is the real one.
type Request struct {
	*http.Request
	Data []byte     // the body
	Peer netip.Addr // after trusted proxies
	At   time.Time  // when it arrived
	ID   string     // operation id: unique, in the log line and the trail
	// Trace is a ten-digit number to quote to support; the log line has it
	// where the fault is ours.
	Trace uint64
	// Late, which may be nil, sends an answer while the call is still at work. It
	// is called once at most, while the call waits for whoever calls it; what the
	// call says afterwards is not sent.
	Late func(Reply)

	object *strict.Object
}

// JSON reads the body as one JSON object, once: later calls give the same.
// Where fold is set, member names are taken in any letter case. The fault is
// Malformed.
func (r *Request) JSON(fold bool) (strict.Object, error) {
	if r.object != nil {
		return *r.object, nil
	}
	read := strict.JSON
	if fold {
		read = strict.FoldJSON
	}
	o, err := read(r.Data, strict.Limits{})
	if err != nil {
		return strict.Object{}, fault.Wrap(fault.Malformed, err)
	}
	r.object = &o
	return o, nil
}

// Form reads the body as a form; the fault is Malformed.
func (r *Request) Form() (strict.Fields, error) {
	f, err := strict.Form(r.Data, strict.Limits{})
	if err != nil {
		return strict.Fields{}, fault.Wrap(fault.Malformed, err)
	}
	return f, nil
}

// Query reads the address's query as a form; the fault is Malformed.
func (r *Request) Query() (strict.Fields, error) {
	f, err := strict.Form([]byte(r.URL.RawQuery), strict.Limits{})
	if err != nil {
		return strict.Fields{}, fault.Wrap(fault.Malformed, err)
	}
	return f, nil
}

// Authorization gives the one Authorization header's value, empty if there is
// none. Two headers are a fault (BadToken): whichever we chose, something
// between us and the caller may have chosen the other.
func (r *Request) Authorization() (string, error) {
	values := r.Header.Values("Authorization")
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return strings.TrimSpace(values[0]), nil
	default:
		return "", fault.Wrap(fault.BadToken, errors.New("more than one Authorization header"))
	}
}

// Bearer gives the token of "Authorization: Bearer X", empty if the header is
// missing; another scheme is BadToken.
func (r *Request) Bearer() (string, error) {
	value, err := r.Authorization()
	if err != nil || value == "" {
		return "", err
	}
	scheme, token, found := strings.Cut(value, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", fault.Wrap(fault.BadToken, errors.New("the Authorization header is not Bearer and a token"))
	}
	return strings.TrimSpace(token), nil
}

// takes tells whether the request's content type is one of types. A request
// that names none is taken: several clients forget it, and the body still has
// to be of the route's format.
func takes(r *http.Request, types []string) bool {
	if r.Header.Get("Content-Encoding") != "" && !strings.EqualFold(r.Header.Get("Content-Encoding"), "identity") {
		return false
	}
	header := r.Header.Get("Content-Type")
	if header == "" || len(types) == 0 {
		return true
	}
	media, params, err := mime.ParseMediaType(header)
	if err != nil {
		return false
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		return false
	}
	return slices.Contains(types, media)
}

// Accepts is the fault that a request's content type earns at the route: nil
// or MediaType.
func (r *Route) Accepts(h *http.Request) error {
	if h.Method == http.MethodGet || takes(h, r.Types) {
		return nil
	}
	return fault.New(fault.MediaType)
}

// The media types that routes take.
var (
	JSONTypes = []string{"application/json", "text/json", "application/json-patch+json"}
	FormTypes = []string{"application/x-www-form-urlencoded"}
)
