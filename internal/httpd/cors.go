package httpd

import (
	"net/http"
	"slices"
	"strings"
)

// cors lets pages of the configured origins call with credentials. Because
// credentials are allowed, the origin is always named, even where any is
// allowed: browsers refuse "*" then.
func (f *Face) cors(next *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" || !f.allowed(origin) {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate, X-Request-Id")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			preflight(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (f *Face) allowed(origin string) bool {
	return slices.ContainsFunc(f.Origins(), func(o string) bool {
		return o == "*" || strings.EqualFold(strings.TrimSuffix(o, "/"), origin)
	})
}

// preflight answers what a browser asks before a call with other headers than
// the simplest: the path's own methods, and the headers that it named. The
// headers that we read are checked by whoever reads them.
func preflight(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Method")
	h.Add("Vary", "Access-Control-Request-Headers")
	found, _ := mux.Handler(r)
	if e, ok := found.(*endpoint); ok && len(e.methods) > 0 {
		h.Set("Access-Control-Allow-Methods", strings.Join(e.methods.list(), ", "))
	}
	if asked := strings.Join(r.Header.Values("Access-Control-Request-Headers"), ","); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
