package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// SameShape compares an answer with a page's sample: the same member names in
// the same order, and the same JSON types, all the way down. Values are not
// compared.
//
// The sample is taken as pages print it: // comments are dropped, <LIKE_THIS>
// is some string, of "A" | "B" the first counts, and bare words stand for any
// value. An array in the sample shows what each of the answer's elements must
// be; an empty one shows nothing.
func SameShape(t testing.TB, page, got []byte) {
	t.Helper()
	want, err := readShape(plain(page))
	if err != nil {
		t.Fatalf("the page's sample: %v", err)
	}
	have, err := readShape(got)
	if err != nil {
		t.Fatalf("the answer: %v\n%s", err, got)
	}
	for _, problem := range want.differ("", have) {
		t.Error(problem)
	}
}

// shape is a JSON value without its content.
type shape struct {
	kind    string // object, array, string, number, bool, null, or any
	names   []string
	members []shape // of an object; the elements of an array
}

// word is the string that stands for a page's bare words.
const word = "\x00bare"

// sampleParts finds what pages print besides JSON. Strings come first, so that
// nothing inside them is taken for a comment.
var sampleParts = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:\s*\|\s*"(?:[^"\\]|\\.)*")*|//[^\n]*|<[^<>\n]*>|[^\s"{}\[\]:,<>/]+(?:[ \t]+[^\s"{}\[\]:,<>/]+)*`)

// plain makes JSON of a page's sample.
func plain(page []byte) []byte {
	return sampleParts.ReplaceAllFunc(page, func(part []byte) []byte {
		switch {
		case part[0] == '"':
			return alternative.Find(part)
		case bytes.HasPrefix(part, []byte("//")):
			return nil
		case part[0] == '<':
			return []byte(`""`)
		case json.Valid(part):
			return part
		default:
			bare, _ := json.Marshal(word) // a constant string
			return bare
		}
	})
}

var alternative = regexp.MustCompile(`^"(?:[^"\\]|\\.)*"`)

func readShape(text []byte) (shape, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	s, err := next(d)
	if err != nil {
		return shape{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return shape{}, errors.New("something stands after the JSON value")
	}
	return s, nil
}

func next(d *json.Decoder) (shape, error) {
	token, err := d.Token()
	if err != nil {
		return shape{}, err
	}
	switch v := token.(type) {
	case json.Delim:
		return container(d, v)
	case string:
		if v == word {
			return shape{kind: "any"}, nil
		}
		return shape{kind: "string"}, nil
	case bool:
		return shape{kind: "bool"}, nil
	case nil:
		return shape{kind: "null"}, nil
	default:
		return shape{kind: "number"}, nil
	}
}

func container(d *json.Decoder, opening json.Delim) (shape, error) {
	s := shape{kind: "array"}
	if opening == '{' {
		s.kind = "object"
	}
	for d.More() {
		if s.kind == "object" {
			name, err := d.Token()
			if err != nil {
				return shape{}, err
			}
			s.names = append(s.names, fmt.Sprint(name))
		}
		one, err := next(d)
		if err != nil {
			return shape{}, err
		}
		s.members = append(s.members, one)
	}
	_, err := d.Token()
	return s, err
}

// differ tells where got is not of the wanted shape.
func (s shape) differ(at string, got shape) []string {
	place := at
	if place == "" {
		place = "the whole"
	}
	switch {
	case s.kind == "any":
		return nil
	case s.kind != got.kind:
		return []string{fmt.Sprintf("%s: %s, the page has %s", place, got.kind, s.kind)}
	case s.kind == "array" && len(s.members) == 0:
		return nil
	case !slices.Equal(s.names, got.names):
		return []string{fmt.Sprintf("%s: members %s, the page has %s", place, strings.Join(got.names, ", "), strings.Join(s.names, ", "))}
	}
	var problems []string
	for i, member := range got.members {
		if s.kind == "array" {
			problems = append(problems, s.members[0].differ(fmt.Sprintf("%s[%d]", at, i), member)...)
			continue
		}
		problems = append(problems, s.members[i].differ(strings.TrimPrefix(at+"."+s.names[i], "."), member)...)
	}
	return problems
}
