package strict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"dargah.dev/dargah/internal/strict"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var readers = map[string]func([]byte, strict.Limits) (strict.Object, error){
	"JSON":     strict.JSON,
	"FoldJSON": strict.FoldJSON,
}

// wide is for documents whose size is not the point.
var wide = strict.Limits{Depth: 100, Keys: 100_000, Items: 100_000}

func TestWhatWasWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := object(4).Draw(t, "value")
		body := spell(t, want)
		got, err := strict.JSON([]byte(body), wide)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if diff := cmp.Diff(want, plainObject(got)); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", body, diff)
		}
		agreesWithStandard(t, []byte(body), got)
	})
}

func TestEveryPrefixIsTruncated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := strings.TrimRight(spell(t, object(3).Draw(t, "value")), " \t\r\n")
		for end := range len(body) {
			_, err := strict.JSON([]byte(body[:end]), wide)
			if kindOf(err) != strict.Truncated {
				t.Fatalf("%q: got %v", body[:end], err)
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	addJSONSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := strict.JSON(body, strict.Limits{})
		if err == nil {
			agreesWithStandard(t, body, object)
			return
		}
		one := asError(err)
		if one == nil || one.Offset < 0 || one.Offset > len(body) {
			t.Fatalf("%q: error %#v", body, err)
		}
		ours := []strict.Kind{strict.Duplicate, strict.Encoding, strict.TooDeep, strict.TooMany, strict.NotObject}
		if json.Valid(body) && !slices.Contains(ours, one.Kind) {
			t.Fatalf("%q: valid JSON, but %v", body, err)
		}
	})
}

func FuzzFoldJSON(f *testing.F) {
	addJSONSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		exact, exactErr := strict.JSON(body, strict.Limits{})
		folded, err := strict.FoldJSON(body, strict.Limits{})
		if err != nil {
			if kindOf(err) != strict.Duplicate && kindOf(err) != kindOf(exactErr) {
				t.Fatalf("%q: folded %v, as written %v", body, err, exactErr)
			}
			return
		}
		if exactErr != nil {
			t.Fatalf("%q: accepted folded only: %v", body, exactErr)
		}
		if diff := cmp.Diff(plainObject(exact), plainObject(folded)); diff != "" {
			t.Fatalf("%q (-exact +folded):\n%s", body, diff)
		}
		foundInAnyCase(t, folded)
	})
}

func addJSONSeeds(f *testing.F) {
	sample := `{"a":[1,-2.5e+3,true,null],"نام":"\u06f1\ud83d\ude00\n","b":{"c":""}}`
	for end := range len(sample) + 1 {
		f.Add([]byte(sample[:end]))
	}
	for _, body := range []string{
		sample + " \n", sample + "x", sample + sample, "\ufeff{}", "{\"a\":\"\x00\"}", `{"a":"\u0000"}`,
		`{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"a":1,"\u0041":2}`, "{\"k\":1,\"\u212a\":2}",
		`{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xff\"}",
		`{"a":1e999999}`, `{"a":-0}`, `{"a":` + strings.Repeat("9", 10_000) + `}`,
		strings.Repeat(`{"a":`, 10_000), `{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		keys(257), items(1001), `[]`, `"a"`, `{"a":01}`, `{'a':1}`, `{"a":1,}`, "{\"a\":\"\n\"}", "\x00{\x00}",
	} {
		f.Add([]byte(body))
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// agreesWithStandard checks that encoding/json reads the same values.
func agreesWithStandard(t fataler, body []byte, object strict.Object) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var want map[string]any
	if !json.Valid(body) {
		t.Fatalf("%q: accepted, but not valid JSON", body)
	}
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("%q: accepted, but: %v", body, err)
	}
	if diff := cmp.Diff(want, plainObject(object)); diff != "" {
		t.Fatalf("%q (-standard +strict):\n%s", body, diff)
	}
}

func foundInAnyCase(t fataler, object strict.Object) {
	t.Helper()
	for name, want := range object.All() {
		for _, other := range []string{name, asciiCase(name, 'a', 'z'), asciiCase(name, 'A', 'Z')} {
			if diff := cmp.Diff(plain(want), plain(object.Get(other))); diff != "" || !object.Has(other) {
				t.Fatalf("%q by %q (-want +got):\n%s", name, other, diff)
			}
		}
		if inner, ok := want.Object(); ok {
			foundInAnyCase(t, inner)
		}
	}
}

// asciiCase changes the case of the letters between first and last.
func asciiCase(s string, first, last byte) string {
	b := []byte(s)
	for i, c := range b {
		if first <= c && c <= last {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

// plain gives a value in the types that encoding/json uses.
func plain(v strict.Value) any {
	switch v.Kind() {
	case strict.Bool:
		is, _ := v.Bool()
		return is
	case strict.Number:
		literal, _ := v.Number()
		return json.Number(literal)
	case strict.String:
		text, _ := v.String()
		return text
	case strict.Array:
		elements, _ := v.Array()
		list := make([]any, 0, len(elements))
		for _, e := range elements {
			list = append(list, plain(e))
		}
		return list
	case strict.ObjectKind:
		object, _ := v.Object()
		return plainObject(object)
	}
	return nil
}

func plainObject(o strict.Object) map[string]any {
	members := make(map[string]any, o.Len())
	for name, v := range o.All() {
		members[name] = plain(v)
	}
	return members
}

func object(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(text(), value(depth-1), 0, 20)
}

func value(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		text().AsAny(),
		rapid.Map(rapid.StringMatching(`-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,9})?([eE][-+]?[0-9]{1,6})?`), toNumber),
	}
	if depth > 0 {
		kinds = append(kinds, object(depth).AsAny(), rapid.SliceOfN(value(depth-1), 0, 5).AsAny())
	}
	return rapid.OneOf(kinds...)
}

func toNumber(literal string) any {
	return json.Number(literal)
}

func text() *rapid.Generator[string] {
	return rapid.StringOf(rapid.OneOf(
		rapid.RuneFrom([]rune("abKk\"\\/\b\f\n\r\t\x01\x7f۱يی\u200f\ufeff\uffff😀")),
		rapid.Rune().Filter(func(r rune) bool { return r != 0 && !utf16.IsSurrogate(r) }),
	))
}

// spell writes a value in one of the many ways that JSON allows.
func spell(t *rapid.T, v any) string {
	blank := rapid.SampledFrom([]string{"", "", "", " ", "\n", "\t", "\r\n"})
	around := func(s string) string { return blank.Draw(t, "before") + s + blank.Draw(t, "after") }
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, around(spellText(t, name))+":"+spell(t, v[name]))
		}
		return around("{" + strings.Join(members, ",") + blank.Draw(t, "inside") + "}")
	case []any:
		var elements []string
		for _, e := range v {
			elements = append(elements, spell(t, e))
		}
		return around("[" + strings.Join(elements, ",") + blank.Draw(t, "inside") + "]")
	case string:
		return around(spellText(t, v))
	case nil:
		return around("null")
	default:
		return around(fmt.Sprint(v))
	}
}

func spellText(t *rapid.T, s string) string {
	var b strings.Builder
	b.WriteByte('"')
	escapeAll := rapid.Bool().Draw(t, "escape all")
	for _, r := range s {
		if escapeAll || r < ' ' || r == '"' || r == '\\' {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
