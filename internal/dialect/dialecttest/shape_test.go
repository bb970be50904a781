package dialecttest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = `
{
  "data": {
    "name": <NAME>, // Note: 3 characters, "quoted", {braced}
    "kind": "A" | "B",
    "url": "http://example.test/a", // one more
    "lifetime": مدت استفاده,
    "count": 0,
    "ok": true
  },

  // More:

  "errors": [],
  "list": [{"field": "x"}],
  "error": null
}`

func TestSameShape(t *testing.T) {
	t.Parallel()
	SameShape(t, []byte(page), []byte(`{"data":{"name":"علی","kind":"C","url":"","lifetime":{"x":1},"count":-1.5,"ok":false},"errors":[1,"a"],"list":[{"field":"1"},{"field":"2"}],"error":null}`))
}

func TestShapeDiffers(t *testing.T) {
	t.Parallel()
	want, err := readShape(plain([]byte(page)))
	if err != nil {
		t.Fatal(err)
	}
	data := `"data":{"name":"","kind":"","url":"","lifetime":1,"count":1,"ok":true}`
	tail := `"errors":[],"list":[{"field":""}],"error":null`
	for _, c := range []struct{ got, want string }{
		{`[]`, "the whole: array, the page has object"},
		{`{` + data + `}`, "the whole: members data, the page has data, errors, list, error"},
		{`{` + tail + `,` + data + `}`, "the whole: members errors, list, error, data, the page has data, errors, list, error"},
		{`{"data":null,` + tail + `}`, "data: null, the page has object"},
		{`{"data":{"name":1,"kind":"","url":"","lifetime":1,"count":1,"ok":true},` + tail + `}`, "data.name: number, the page has string"},
		{`{"data":{"name":"","kind":"","url":"","lifetime":1,"count":"1","ok":true},` + tail + `}`, "data.count: string, the page has number"},
		{`{` + data + `,"errors":[],"list":[{"field":""},{"Field":""}],"error":null}`, "list[1]: members Field, the page has field"},
		{`{` + data + `,"errors":[],"list":[],"error":{}}`, "error: object, the page has null"},
	} {
		got, err := readShape([]byte(c.got))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{c.want}, want.differ("", got)); diff != "" {
			t.Error(diff)
		}
	}
}
