package dialecttest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// echo gives out a token, and tells who shows it.
func echo(t *testing.T) string {
	t.Helper()
	var count atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", string(body))
		_, _ = io.WriteString(w, `{"token":"t`+strconv.FormatInt(count.Add(1), 10)+`","at":12}`)
	})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"who":"`+r.Header.Get("Authorization")+`","host":"`+r.Host+`"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

const good = `# Source: this test.
>>> a token
POST /token HTTP/1.1

body of it
<<< 200
X-Got: body of it
X-Other: {{none}}

{"token":"{{save TOKEN}}","at":{{number}}}
>>> its use
GET /who HTTP/1.1
Authorization: Bearer {{TOKEN}}
<<< 200

{"who":"Bearer {{TOKEN}}","host":"{{HOST}}"}
`

func write(t *testing.T, folder, text string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWire(t *testing.T) {
	t.Parallel()
	Wire(t, echo(t), filepath.Dir(write(t, "wire", good)))
}

func TestPlayTellsEveryDifference(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"status":         {"<<< 200\nX-Got", "<<< 201\nX-Got", "status 200, want 201"},
		"header":         {"X-Got: body of it", "X-Got: other", `want "other"`},
		"header missing": {"X-Other: {{none}}", "X-Other: x", "header X-Other"},
		"header too many": {
			"X-Got: body of it", "X-Got: {{none}}", "should not be",
		},
		"body":      {`"at":{{number}}}`, `"at":13}`, "want {"},
		"one byte":  {`"at":{{number}}}`, `"at":{{number}} }`, "want {"},
		"unkept":    {"Bearer {{TOKEN}}\n", "Bearer {{OTHER}}\n", "OTHER"},
		"no answer": {"POST /token HTTP/1.1", "POST /token HTTP/9.9", "status 505"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("nothing was planted")
			}
			err := play(t.Context(), echo(t), write(t, "wire", text), false)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestUpdateRewrites(t *testing.T) {
	t.Parallel()
	stale := strings.NewReplacer("<<< 200\nX-Got: body of it", "<<< 401\nX-Got: {{any}}", `"at":{{number}}`, `"when":{{number}}`).Replace(good)
	file := write(t, "wire", stale)
	address := echo(t)
	if err := play(t.Context(), address, file, true); err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("X-Got: body of it", "X-Got: {{any}}", `"at":{{number}}`, `"at":12`).Replace(good)
	if diff := cmp.Diff(want, read(t, file)); diff != "" {
		t.Error(diff)
	}
	if err := play(t.Context(), address, file, false); err != nil {
		t.Errorf("the rewritten file does not pass: %v", err)
	}
}

func TestUpdateRefusesPages(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"page", filepath.Join("page", "more")} {
		stale := strings.Replace(good, "<<< 200", "<<< 201", 1)
		file := write(t, folder, stale)
		err := play(t.Context(), echo(t), file, true)
		if err == nil || !strings.Contains(err.Error(), "-update does not rewrite it") {
			t.Errorf("%s: got %v", folder, err)
		}
		if diff := cmp.Diff(stale, read(t, file)); diff != "" {
			t.Errorf("%s: the page was rewritten:\n%s", folder, diff)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
