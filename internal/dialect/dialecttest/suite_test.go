package dialecttest

import (
	"net/http"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

func TestWorded(t *testing.T) {
	t.Parallel()
	const media = "application/json; charset=utf-8"
	if err := worded(dialect.Reply{Status: 400, Type: media, Body: []byte(`{"error":"invalid_client"}`)}); err != nil {
		t.Error(err)
	}
	for name, reply := range map[string]dialect.Reply{
		"empty":        {Type: media},
		"not JSON":     {Type: media, Body: []byte("no")},
		"not object":   {Type: media, Body: []byte("[]")},
		"two values":   {Type: media, Body: []byte("{}{}")},
		"not UTF-8":    {Type: media, Body: []byte("{\"a\":\"\xff\"}")},
		"no type":      {Body: []byte("{}")},
		"other type":   {Type: "text/html", Body: []byte("{}")},
		"cause":        {Type: media, Body: []byte(`{"a":"` + canary + `"}`)},
		"cause header": {Type: media, Body: []byte(`{}`), Header: http.Header{"X": {canary}}},
		"house name":   {Type: media, Body: []byte(`{"a":"malformed"}`)},
		"house text":   {Type: media, Body: []byte(`{"a":"it is source-timeout: x"}`)},
	} {
		if worded(reply) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code fault.Code
		name string
		got  int
		ok   bool
	}{
		{fault.Internal, "x", 503, true},
		{fault.Internal, "x", 500, false},
		{fault.Internal, "smsafzar", 500, true},
		{fault.Unavailable, "x", 401, false},
		{fault.Busy, "x", 403, false},
		{fault.SourceTimeout, "x", 504, true},
		{fault.SourceTimeout, "x", 200, false},
		{fault.SourceUnavailable, "x", 404, false},
		{fault.NotFound, "x", 200, true},
		{fault.NotFound, "x", 404, true},
		{fault.NotFound, "x", 503, false},
		{fault.Credit, "x", 200, false},
		{fault.Credit, "x", 401, false},
		{fault.Credentials, "x", 401, true},
		{fault.Rate, "x", 400, false},
		{fault.TooLarge, "x", 400, false},
		{fault.NoToken, "x", 403, false},
	} {
		if err := status(c.name, c.code, dialect.Reply{Status: c.got, Type: "application/json"}); (err == nil) != c.ok {
			t.Errorf("%s %s %d: %v", c.name, c.code, c.got, err)
		}
	}
}

// TestPlainText: a code on a line is a refusal under 200 too, but not of what is
// our fault.
func TestPlainText(t *testing.T) {
	t.Parallel()
	plain := func(status int, body string) dialect.Reply {
		return dialect.Reply{Status: status, Type: "text/plain; charset=utf-8", Body: []byte(body)}
	}
	for body, ok := range map[string]bool{"0": true, "-1": true, "": false, "1\n": false, "1\n2": false, " ": false} {
		if err := worded(plain(200, body)); (err == nil) != ok {
			t.Errorf("%q: %v", body, err)
		}
	}
	if err := status("x", fault.Credentials, plain(200, "0")); err != nil {
		t.Error(err)
	}
	if status("x", fault.Internal, plain(200, "10")) == nil {
		t.Error("a fault of ours under 200 is taken")
	}
}

func TestInStyle(t *testing.T) {
	t.Parallel()
	known := map[style]bool{{400, "application/json", "code,text"}: true, {503, "application/json", "code,text"}: true}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	for name, c := range map[string]struct {
		got got
		ok  bool
	}{
		"refusal":      {got{400, header, []byte(`{"code":1,"text":""}`)}, true},
		"other order":  {got{400, header, []byte(`{"text":"","code":1}`)}, false},
		"other status": {got{404, header, []byte(`{"code":1,"text":""}`)}, false},
		"our fault":    {got{503, header, []byte(`{"code":1,"text":""}`)}, false},
		"plain text":   {got{400, http.Header{"Content-Type": {"text/plain"}}, []byte(`{"code":1,"text":""}`)}, false},
		"success":      {got{200, header, []byte(`{"code":1,"text":""}`)}, false},
	} {
		if err := inStyle(known, c.got); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPermutations(t *testing.T) {
	t.Parallel()
	seen := map[[4]admission.Check]bool{}
	for p := range permutations([]admission.Check{1, 2, 3, 4}) {
		seen[[4]admission.Check(p)] = true
	}
	if len(seen) != 24 {
		t.Errorf("%d orders of four, want 24", len(seen))
	}
}

func TestSkeletonsHoldNoValue(t *testing.T) {
	t.Parallel()
	json := &dialect.Route{Types: dialect.JSONTypes}
	if got := string(withoutValues(json, `{"a":{"b":"secret"},"c":[1,"secret"],"d":5}`)); got != `{"a":{"b":"x"},"c":"x","d":"x"}` {
		t.Error(got)
	}
	form := &dialect.Route{Types: dialect.FormTypes}
	if got := string(withoutValues(form, "b=secret&a=secret")); got != "a=x&b=x" {
		t.Error(got)
	}
	for _, r := range []*dialect.Route{json, form} {
		for _, size := range []int{100, 4096} {
			if got := len(padded(r, size)); got != size {
				t.Errorf("%d bytes, want %d", got, size)
			}
		}
		if len(brokenBodies(r)) < 10 {
			t.Error("too few ways to be wrong")
		}
	}
	for _, b := range wrongTypes(json, []byte(`{"a":{"b":"x"}}`)) {
		if strings.Contains(string(b), `{"a":{"b":"x"}}`) {
			t.Errorf("nothing is wrong with %s", b)
		}
	}
}
