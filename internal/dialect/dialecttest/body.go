package dialecttest

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/dialect"
)

// bodies are samples of one way to be wrong.
type bodies struct {
	name   string
	bodies [][]byte
}

func isForm(r *dialect.Route) bool { return slices.Contains(dialect.FormTypes, r.Types[0]) }

// brokenBodies are made from the route's own messages with all values taken
// out, so that no part of one can be a good message.
func brokenBodies(r *dialect.Route) []bodies {
	list := []bodies{
		texts("empty", "", " ", "\n"),
		texts("NUL", "\x00", "{\"a\":\"\x00\"}", `{"a":"\u0000"}`, `{"\u0000":1}`, "a=\x00", "a=%00"),
		texts("not UTF-8", "\xff", "{\"a\":\"\xff\xfe\"}", `{"a":"\ud800"}`, "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "a=%ff", "\xff=a"),
		texts("binary", "\x1f\x8b\x08\x00\x00\x00", "\x00\x01\x02\x03", strings.Repeat("\x80", 1000)),
		texts("not an object", "null", "true", "1", `"text"`, "[]", `[{"a":1}]`, "{", "}", "{]", "{,}", `{"a"}`, `{"a":}`, "{'a':1}", "NaN", "<a/>"),
		texts("numbers", `{"a":01}`, `{"a":1e999999}`, `{"a":`+strings.Repeat("9", 5000)+`}`, `{"a":-}`),
		texts("deep", `{"a":`+strings.Repeat("[", 10_000), strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000),
			`{"a":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+"}"),
		texts("many parts", "{"+strings.Repeat(`"a":1,`, 2000)+`"b":1}`, `{"a":[`+strings.Repeat("1,", 5000)+"1]}",
			strings.Repeat("a&", 5000), strings.Repeat("a=1&", 5000), strings.Repeat("&", 5000)),
		texts("percent signs", "%", "%%", "a=%", "a=%zz", "%41%", "a=%u0041"),
	}
	for _, whole := range skeletons(r) {
		list = append(list,
			bodies{"truncated", truncated(whole)},
			bodies{"names twice", twice(r, whole)},
			bodies{"trailing data", trailing(r, whole)},
			bodies{"wrong types", wrongTypes(r, whole)},
		)
	}
	return list
}

func texts(name string, list ...string) bodies {
	b := bodies{name: name}
	for _, one := range list {
		b.bodies = append(b.bodies, []byte(one))
	}
	return b
}

// truncated cuts at up to about forty places, the last byte always among them.
func truncated(whole []byte) [][]byte {
	var list [][]byte
	for at := 0; at < len(whole)-1; at += max(1, len(whole)/40) {
		list = append(list, whole[:at])
	}
	return append(list, whole[:len(whole)-1])
}

func twice(r *dialect.Route, whole []byte) [][]byte {
	if isForm(r) {
		return [][]byte{[]byte(string(whole) + "&" + string(whole))}
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(string(whole), "{"), ":")
	return [][]byte{[]byte("{" + name + ":null," + string(whole[1:])), []byte(`{"a":{"b":1,"b":2},` + string(whole[1:]))}
}

func trailing(r *dialect.Route, whole []byte) [][]byte {
	if isForm(r) {
		return nil // a form has no end to stand after
	}
	var list [][]byte
	for _, after := range []string{"x", "{}", string(whole), ",", "]", "\x00", "\ufeff"} {
		list = append(list, []byte(string(whole)+after))
	}
	return list
}

// wrongTypes puts a value of each type in the place of each value.
func wrongTypes(r *dialect.Route, whole []byte) [][]byte {
	var root map[string]any
	if isForm(r) || json.Unmarshal(whole, &root) != nil {
		return nil
	}
	var list [][]byte
	replaceEach(root, func() {
		if text, err := json.Marshal(root); err == nil {
			list = append(list, text)
		}
	})
	return list
}

func replaceEach(object map[string]any, changed func()) {
	for name, old := range object {
		if inner, ok := old.(map[string]any); ok {
			replaceEach(inner, changed)
		}
		for _, other := range []any{nil, true, 1, -1.5, "", []any{}, []any{map[string]any{}}, map[string]any{}} {
			object[name] = other
			changed()
		}
		delete(object, name)
		changed()
		object[name] = old
	}
}

// skeletons are the bodies of the route's files of exchanges, each value
// replaced by "x"; at least one.
func skeletons(r *dialect.Route) [][]byte {
	var list [][]byte
	for _, file := range exchangeFiles() {
		list = append(list, fromFile(r, file)...)
	}
	slices.SortFunc(list, bytes.Compare)
	list = slices.CompactFunc(list, bytes.Equal)
	if len(list) > 0 {
		return list
	}
	if isForm(r) {
		return [][]byte{[]byte("username=x&password=x&other=x")}
	}
	return [][]byte{[]byte(`{"context":{"inner":{"id":"x","token":"x"}},"list":["x"],"field":"x","other":"x"}`)}
}

// fromFile reads what it can: a file that cannot be read fails in Wire.
func fromFile(r *dialect.Route, file string) [][]byte {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	s, err := parse(string(text))
	if err != nil {
		return nil
	}
	var list [][]byte
	for _, one := range s.steps {
		_, body := headAndBody(one.request)
		if one.method() == r.Method && one.path() == r.Path {
			if emptied := withoutValues(r, body); emptied != nil {
				list = append(list, emptied)
			}
		}
	}
	return list
}

func withoutValues(r *dialect.Route, body string) []byte {
	if isForm(r) {
		fields, err := url.ParseQuery(body)
		if err != nil || len(fields) == 0 {
			return nil
		}
		for name := range fields {
			fields[name] = []string{"x"}
		}
		return []byte(fields.Encode())
	}
	var root map[string]any
	if json.Unmarshal([]byte(body), &root) != nil || len(root) == 0 {
		return nil
	}
	text, err := json.Marshal(emptied(root))
	if err != nil {
		return nil
	}
	return text
}

func emptied(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return "x"
	}
	for name, inner := range object {
		object[name] = emptied(inner)
	}
	return object
}
