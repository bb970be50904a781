package dialecttest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `# Source: nobody's page.
# Two exchanges.
>>> first
POST /a HTTP/1.1
Content-Type: text/plain

line one

line three
<<< 200
X: y

{"token":"{{save TOKEN}}"}
>>>
GET /b?c=d HTTP/1.1
<<< 204
`

func TestParse(t *testing.T) {
	t.Parallel()
	s, err := parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{"first", "POST /a HTTP/1.1\nContent-Type: text/plain\n\nline one\n\nline three", 200, "X: y\n\n{\"token\":\"{{save TOKEN}}\"}"},
		{"", "GET /b?c=d HTTP/1.1", 204, ""},
	}
	if diff := cmp.Diff(want, s.steps, cmp.AllowUnexported(step{})); diff != "" {
		t.Error(diff)
	}
	if got := s.steps[1].path(); got != "/b" {
		t.Errorf("path %q", got)
	}
	wire := "POST /a HTTP/1.1\r\nContent-Type: text/plain\r\nHost: h:1\r\nContent-Length: 20\r\n\r\nline one\n\nline three"
	if diff := cmp.Diff(wire, string(s.steps[0].wire("h:1"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("GET /b?c=d HTTP/1.1\r\nHost: h:1\r\n\r\n", string(s.steps[1].wire("h:1"))); diff != "" {
		t.Error(diff)
	}
}

func TestRequestKeepsItsOwnHostAndLength(t *testing.T) {
	t.Parallel()
	s := &step{request: "POST / HTTP/1.1\nhost: other\ncontent-length: 1\n\nbody"}
	if got, want := string(s.wire("h:1")), "POST / HTTP/1.1\r\nhost: other\r\ncontent-length: 1\r\n\r\nbody"; got != want {
		t.Errorf("%q", got)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":          "",
		"no source":        ">>> a\nGET / HTTP/1.1\n<<< 200\n",
		"only comments":    "# a\n",
		"text first":       "# a\nhello\n>>> a\nGET / HTTP/1.1\n<<< 200\n",
		"no reply":         "# a\n>>> a\nGET / HTTP/1.1\n",
		"reply first":      "# a\n<<< 200\n",
		"two requests":     "# a\n>>> a\nGET / HTTP/1.1\n>>> b\nGET / HTTP/1.1\n<<< 200\n",
		"no status":        "# a\n>>> a\nGET / HTTP/1.1\n<<<\n",
		"status of letter": "# a\n>>> a\nGET / HTTP/1.1\n<<< ok\n",
		"status too large": "# a\n>>> a\nGET / HTTP/1.1\n<<< 2000\n",
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestTextSurvives(t *testing.T) {
	t.Parallel()
	s, err := parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample, s.String()); diff != "" {
		t.Error(diff)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`{"a":1}`, `{"a":1}`, true},
		{`{"a":1}`, `{"a":1} `, false},
		{`a.c`, `abc`, false},
		{`{"a":"{{any}}"}`, `{"a":"سلام\n"}`, true},
		{`{"a":"{{any}}"}`, `{"a":""}`, true},
		{`{"a":"{{any}}"}`, `{"a":"","b":""}`, false},
		{`{"a":{{number}}}`, `{"a":-12.5}`, true},
		{`{"a":{{number}}}`, `{"a":"1"}`, false},
		{`{"a":{{number}}}`, `{"a":}`, false},
		{`{{HOST}}`, `h:1`, true},
		{`{{HOST}}`, `hx1`, false},
		{`{"custom":{"a":{}}}`, `{"custom":{"a":{}}}`, true},
	} {
		k := kept{"HOST": "h:1"}
		got, err := k.match(c.pattern, c.text)
		if err != nil || got != c.want {
			t.Errorf("%s with %s: %t, %v", c.pattern, c.text, got, err)
		}
	}
}

func TestKeptValues(t *testing.T) {
	t.Parallel()
	k := kept{}
	if ok, err := k.match(`{"t":"{{save T}}","u":"{{save U}}"}`, `{"t":"a.b","u":""}`); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got, err := k.fill("Authorization: Bearer {{T}}"); err != nil || got != "Authorization: Bearer a.b" {
		t.Errorf("%q, %v", got, err)
	}
	if ok, _ := k.match("{{T}}", "axb"); ok {
		t.Error("a kept value is taken for a pattern")
	}
	if _, err := k.fill("{{OTHER}}"); err == nil {
		t.Error("an unknown name is filled in")
	}
	if _, err := k.match("{{OTHER}}", ""); err == nil {
		t.Error("an unknown name is compared")
	}
}

func TestCarry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, fresh, want string }{
		{`{"a":"{{any}}","b":1}`, `{"a":"xyz","b":2}`, `{"a":"{{any}}","b":2}`},
		{`{"a":{{number}}}`, `{"z":0,"a":12.5}`, `{"z":0,"a":{{number}}}`},
		{`{"a":"{{save T}}"}`, `{"b":1}`, `{"b":1}`},
		{`[{"a":"{{any}}"},{"a":"{{save T}}"}]`, `[{"a":"1"},{"a":"2\""}]`, `[{"a":"{{any}}"},{"a":"{{save T}}"}]`},
		{`{"a":{{number}}}`, `{"a":"now text"}`, `{"a":"{{number}}"}`},
	} {
		if diff := cmp.Diff(c.want, carry(c.old, c.fresh)); diff != "" {
			t.Error(diff)
		}
	}
}
