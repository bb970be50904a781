package strict_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/strict"
	"github.com/google/go-cmp/cmp"
)

// noError stands in tables for a body that is accepted.
const noError strict.Kind = 0

func TestJSONRefusesWithKindAndOffset(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("1", 64)
	tests := []struct {
		name   string
		body   string
		kind   strict.Kind
		offset int
	}{
		{"empty", ``, strict.Truncated, 0},
		{"blanks only", " \n", strict.Truncated, 2},
		{"open object", `{`, strict.Truncated, 1},
		{"open name", `{"a`, strict.Truncated, 3},
		{"name only", `{"a"`, strict.Truncated, 4},
		{"no value", `{"a":`, strict.Truncated, 5},
		{"half a word", `{"a":tr`, strict.Truncated, 7},
		{"minus alone", `{"a":-`, strict.Truncated, 6},
		{"half an exponent", `{"a":1e`, strict.Truncated, 7},
		{"half an escape", `{"a":"\`, strict.Truncated, 7},
		{"half a code", `{"a":"\u00`, strict.Truncated, 10},
		{"half a pair", `{"a":"\ud83d\`, strict.Truncated, 13},
		{"high surrogate at the end", `{"a":"\udbff`, strict.Truncated, 12},
		{"half a character", "{\"a\":\"\xd8", strict.Truncated, 7},
		{"after a comma", `{"a":1,`, strict.Truncated, 7},

		{"array", `[{}]`, strict.NotObject, 0},
		{"string", ` "x"`, strict.NotObject, 1},
		{"number", `-1`, strict.NotObject, 0},
		{"digit", `7`, strict.NotObject, 0},
		{"word", `null`, strict.NotObject, 0},

		{"text", `hello`, strict.Syntax, 0},
		{"form", `a=1`, strict.Syntax, 0},
		{"bare name", `{a:1}`, strict.Syntax, 1},
		{"single quotes", `{'a':1}`, strict.Syntax, 1},
		{"no colon", `{"a" 1}`, strict.Syntax, 5},
		{"no comma", `{"a":1 "b":2}`, strict.Syntax, 7},
		{"comma at the end", `{"a":1,}`, strict.Syntax, 7},
		{"comma at the end of an array", `{"a":[1,]}`, strict.Syntax, 8},
		{"comma alone", `{,}`, strict.Syntax, 1},
		{"wrong bracket", `{"a":[1}`, strict.Syntax, 7},
		{"comment", `{/**/}`, strict.Syntax, 1},
		{"capital word", `{"a":True}`, strict.Syntax, 5},
		{"long word", `{"a":nulls}`, strict.Syntax, 9},
		{"NaN", `{"a":NaN}`, strict.Syntax, 5},
		{"leading zero", `{"a":01}`, strict.Syntax, 6},
		{"plus", `{"a":+1}`, strict.Syntax, 5},
		{"leading point", `{"a":.5}`, strict.Syntax, 5},
		{"no fraction", `{"a":1.}`, strict.Syntax, 7},
		{"no exponent", `{"a":1e+}`, strict.Syntax, 8},
		{"hexadecimal", `{"a":0x1}`, strict.Syntax, 6},
		{"Persian digit", `{"a":۱}`, strict.Syntax, 5},
		{"unknown escape", `{"a":"\x41"}`, strict.Syntax, 6},
		{"bad code", `{"a":"\u00g0"}`, strict.Syntax, 6},
		{"raw newline", "{\"a\":\"x\ny\"}", strict.Syntax, 7},
		{"raw newline after an escape", "{\"a\":\"\\tx\ny\"}", strict.Syntax, 9},
		{"form feed for a blank", "{\f}", strict.Syntax, 1},
		{"no-break space for a blank", "{\u00a0}", strict.Syntax, 1},

		{"duplicate", `{"a":1,"a":1}`, strict.Duplicate, 7},
		{"duplicate by escape", `{"a":1,"\u0061":2}`, strict.Duplicate, 7},
		{"duplicate inside", `{"x":[{"a":1,"b":2,"a":3}]}`, strict.Duplicate, 19},
		{"duplicate empty name", `{"":1,"":2}`, strict.Duplicate, 6},

		{"second object", `{}{}`, strict.Trailing, 2},
		{"bracket after", `{} }`, strict.Trailing, 3},
		{"NUL after", "{}\x00", strict.Trailing, 2},

		{"byte order mark", "\ufeff{}", strict.Encoding, 0},
		{"UTF-16, big end first", "\x00{\x00}", strict.Encoding, 0},
		{"UTF-16, with mark", "\xff\xfe{\x00}\x00", strict.Encoding, 0},
		{"NUL between", "{\x00}", strict.Encoding, 1},
		{"raw NUL", "{\"a\":\"x\x00\"}", strict.Encoding, 7},
		{"escaped NUL", `{"a":"x\u0000"}`, strict.Encoding, 7},
		{"escaped NUL in a name", `{"a\u0000":1}`, strict.Encoding, 3},
		{"Latin-1", "{\"a\":\"caf\xe9\"}", strict.Encoding, 9},
		{"Latin-1 before an escape", "{\"a\":\"\xe9\\n\"}", strict.Encoding, 6},
		{"Latin-1 after an escape", "{\"a\":\"\\n\xe9\"}", strict.Encoding, 8},
		{"Latin-1 before a control", "{\"a\":\"\xe9\n\"}", strict.Encoding, 6},
		{"Latin-1 before the end", "{\"a\":\"\xe9x", strict.Encoding, 6},
		{"Latin-1 in a name", "{\"\xe9\":1}", strict.Encoding, 2},
		{"overlong slash", "{\"a\":\"\xc0\xaf\"}", strict.Encoding, 6},
		{"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", strict.Encoding, 6},
		{"lone high surrogate", `{"a":"\ud83d"}`, strict.Encoding, 6},
		{"high surrogate and a letter", `{"a":"\ud83dx"}`, strict.Encoding, 6},
		{"high surrogate and an escape", `{"a":"\ud83d\n"}`, strict.Encoding, 6},
		{"high surrogate and another code", `{"a":"\ud83d\u0041"}`, strict.Encoding, 6},
		{"two high surrogates", `{"a":"\ud83d\ud83d"}`, strict.Encoding, 6},
		{"low surrogate at the end", `{"a":"\udc00`, strict.Encoding, 6},
		{"lone low surrogate", `{"a":"\ude00"}`, strict.Encoding, 6},

		{"ten thousand arrays", `{"a":` + strings.Repeat("[", 10_000), strict.TooDeep, 36},
		{"ten thousand objects", strings.Repeat(`{"a":`, 10_000), strict.TooDeep, 160},
		{"long number", `{"a":1` + long + `}`, strict.TooMany, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for reader, read := range readers {
				object, err := read([]byte(tt.body), strict.Limits{})
				want := &strict.Error{Kind: tt.kind, Offset: tt.offset}
				if diff := cmp.Diff(want, asError(err)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", reader, diff)
				}
				if object.Len() != 0 {
					t.Errorf("%s: members beside an error", reader)
				}
			}
		})
	}
}

func TestJSONAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       map[string]any
	}{
		{"nothing", ` {} `, map[string]any{}},
		{"blanks", "\r\n{ \"a\"\t: [ ] ,\n\"b\" : { } }\n", map[string]any{"a": []any{}, "b": map[string]any{}}},
		{"words", `{"a":true,"b":false,"c":null}`, map[string]any{"a": true, "b": false, "c": nil}},
		{"Persian", `{"نام":"سارا"}`, map[string]any{"نام": "سارا"}},
		{"escapes", `{"a":"\"\\\/\b\f\n\r\t"}`, map[string]any{"a": "\"\\/\b\f\n\r\t"}},
		{"codes", `{"a":"\u06F1x\u06f2"}`, map[string]any{"a": "۱x۲"}},
		{"pair", `{"a":"\ud83d\ude00!"}`, map[string]any{"a": "😀!"}},
		{"escaped name", `{"\u0061b":"x"}`, map[string]any{"ab": "x"}},
		{"escape beyond the first room", `{"a":"` + strings.Repeat(`\n`, 500) + `"}`, map[string]any{"a": strings.Repeat("\n", 500)}},
		{"mark inside a string", "{\"a\":\"\ufeff\"}", map[string]any{"a": "\ufeff"}},
		{"one name in two objects", `{"a":{"a":"x"},"b":{"a":"y"}}`, map[string]any{"a": map[string]any{"a": "x"}, "b": map[string]any{"a": "y"}}},
		{"values after a container", `{"a":[[],[{}]],"b":"x"}`, map[string]any{"a": []any{[]any{}, []any{map[string]any{}}}, "b": "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for reader, read := range readers {
				object, err := read([]byte(tt.body), strict.Limits{})
				if err != nil {
					t.Fatalf("%s: %v", reader, err)
				}
				if diff := cmp.Diff(tt.want, plainObject(object)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", reader, diff)
				}
			}
		})
	}
}

func TestLimitsAreExact(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		limits strict.Limits
		limit  int
		body   func(n int) string
		kind   strict.Kind
	}{
		{"depth by default", strict.Limits{}, 32, nested, strict.TooDeep},
		{"depth", strict.Limits{Depth: 3}, 3, nested, strict.TooDeep},
		{"keys by default", strict.Limits{}, 256, keys, strict.TooMany},
		{"keys", strict.Limits{Keys: 20}, 20, keys, strict.TooMany},
		{"keys of many objects", strict.Limits{Keys: 7}, 7, spreadKeys, strict.TooMany},
		{"items by default", strict.Limits{}, 1000, items, strict.TooMany},
		{"items for bulk", strict.Limits{Items: 10_000}, 10_000, items, strict.TooMany},
		{"items of two arrays", strict.Limits{Items: 9}, 9, spreadItems, strict.TooMany},
		{"less than zero is the default", strict.Limits{Depth: -1, Keys: -1, Items: -1}, 256, keys, strict.TooMany},
		{"number", strict.Limits{}, 64, func(n int) string { return `{"a":` + strings.Repeat("1", n) + `}` }, strict.TooMany},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for n, want := range map[int]strict.Kind{tt.limit - 1: noError, tt.limit: noError, tt.limit + 1: tt.kind} {
				_, err := strict.JSON([]byte(tt.body(n)), tt.limits)
				if got := kindOf(err); got != want {
					t.Errorf("%d: got %q, want %q", n, got, want)
				}
			}
		})
	}
}

func nested(n int) string {
	return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `,"b":[]}`
}

func keys(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"k%d":0`, i))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func spreadKeys(n int) string {
	return `{"a":[` + strings.TrimSuffix(strings.Repeat(`{"k":0},`, n-1), ",") + `]}`
}

func items(n int) string {
	return `{"a":[` + strings.TrimSuffix(strings.Repeat("0,", n), ",") + `]}`
}

func spreadItems(n int) string {
	return `{"a":[1,2,3],"b":[` + strings.TrimSuffix(strings.Repeat("0,", n-3), ",") + `]}`
}

func TestDuplicatesAmongManyNames(t *testing.T) {
	t.Parallel()
	for _, again := range []int{0, 1, 14, 15, 16, 17, 99} {
		body := strings.TrimSuffix(keys(100), "}") + fmt.Sprintf(`,"k%d":1}`, again)
		if _, err := strict.JSON([]byte(body), strict.Limits{}); kindOf(err) != strict.Duplicate {
			t.Errorf("k%d again: got %v", again, err)
		}
		other := strings.Replace(body, fmt.Sprintf(`"k%d":1}`, again), fmt.Sprintf(`"K%d":1}`, again), 1)
		if _, err := strict.JSON([]byte(other), strict.Limits{}); err != nil {
			t.Errorf("K%d beside k%d: %v", again, again, err)
		}
		if _, err := strict.FoldJSON([]byte(other), strict.Limits{}); kindOf(err) != strict.Duplicate {
			t.Errorf("K%d beside k%d, folded: got %v", again, again, err)
		}
	}
}

func TestEmptyNameAmongManyIsNoDuplicate(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		body := strings.TrimSuffix(keys(n+1), "}") + `,"":1,"last":2}`
		if _, err := strict.JSON([]byte(body), strict.Limits{}); err != nil {
			t.Errorf("after %d names: %v", n+1, err)
		}
	}
}

func TestRawControlsAreRefusedInStrings(t *testing.T) {
	t.Parallel()
	for c := byte(1); c < ' '; c++ {
		for _, before := range []string{"x", `\t`} {
			_, err := strict.JSON([]byte(`{"a":"`+before+string(rune(c))+`"}`), strict.Limits{})
			if diff := cmp.Diff(&strict.Error{Kind: strict.Syntax, Offset: 6 + len(before)}, asError(err)); diff != "" {
				t.Errorf("%#x after %s (-want +got):\n%s", c, before, diff)
			}
		}
	}
}

func TestFoldJSONFoldsLettersOfASCIIOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		kind       strict.Kind
	}{
		{"case", `{"Token":1,"tOKEN":2}`, strict.Duplicate},
		{"case by escape", `{"Token":1,"\u0074oken":2}`, strict.Duplicate},
		{"case inside", `{"x":{"A":1,"a":2}}`, strict.Duplicate},
		{"Kelvin sign", "{\"k\":1,\"\u212a\":2}", noError},
		{"long s", "{\"s\":1,\"\u017f\":2}", noError},
		{"accented letters", `{"É":1,"é":2}`, noError},
		{"signs a bit apart", "{\"@\":1,\"`\":2,\"[\":3,\"{\":4}", noError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := strict.FoldJSON([]byte(tt.body), strict.Limits{}); kindOf(err) != tt.kind {
				t.Errorf("folded: got %v, want %q", err, tt.kind)
			}
			if _, err := strict.JSON([]byte(tt.body), strict.Limits{}); err != nil {
				t.Errorf("as written: %v", err)
			}
		})
	}
}

func TestErrorsSayWhyAndWhereWithoutTheBody(t *testing.T) {
	t.Parallel()
	_, err := strict.JSON([]byte(`{"password":"hunter2","password":"hunter3"}`), strict.Limits{})
	if got, want := err.Error(), "body: duplicate name at byte 22"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	texts := map[string]strict.Kind{}
	for kind := strict.Syntax; kind <= strict.WrongType; kind++ {
		text := kind.String()
		if other, taken := texts[text]; taken || strings.HasPrefix(text, "fault") {
			t.Errorf("kind %d: text %q, as kind %d", kind, text, other)
		}
		texts[text] = kind
	}
}

func kindOf(err error) strict.Kind {
	if one := asError(err); one != nil {
		return one.Kind
	}
	return noError
}

func asError(err error) *strict.Error {
	var one *strict.Error
	errors.As(err, &one)
	return one
}
