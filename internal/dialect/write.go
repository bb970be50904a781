package dialect

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/fault"
)

// JSONReply is the content type of replies in JSON.
const JSONReply = "application/json; charset=utf-8"

// JSON is a reply whose body is v as compact JSON, with characters like < and
// & left as they are, as the providers' own servers write them.
func JSON(status int, v any) (Reply, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return Reply{}, err
	}
	return Reply{Status: status, Type: JSONReply, Body: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}, nil
}

// MustJSON is JSON for values that cannot fail to be encoded: structs of
// strings, numbers and bools.
func MustJSON(status int, v any) Reply {
	r, err := JSON(status, v)
	if err != nil {
		panic("dialect: a reply of fixed shape cannot be encoded: " + err.Error())
	}
	return r
}

// Retry says when another try makes sense, on every reply that invites one.
// Seconds are rounded up, so that a caller who waits so long is not early.
func (r Reply) Retry(f *fault.Error) Reply {
	if r.Status != http.StatusTooManyRequests && r.Status != http.StatusServiceUnavailable {
		return r
	}
	seconds := int64((f.RetryAfter + time.Second - 1) / time.Second)
	return r.With("Retry-After", strconv.FormatInt(max(1, seconds), 10))
}

// Quote makes one word of a POSIX shell of any text.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// With adds a header to a reply.
func (r Reply) With(name, value string) Reply {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(name, value)
	return r
}
