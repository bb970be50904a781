package sms_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/sms"
)

func TestFill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, template string
		values         map[string]string
		want           string
		misfit         *sms.Misfit
	}{
		{"no parameter", "سلام", nil, "سلام", nil},
		{"nothing at all", "", nil, "", nil},
		{"one", "کد شما: {code}", map[string]string{"code": "123456"}, "کد شما: 123456", nil},
		{"only one", "{code}", map[string]string{"code": "1"}, "1", nil},
		{"twice, and another", "{a}{b}{a}", map[string]string{"a": "1", "b": "2"}, "121", nil},
		{"a Persian name, with ZWNJ", "{نام\u200cها} عزیز", map[string]string{"نام\u200cها": "x"}, "x عزیز", nil},
		{"blanks within the braces", "{ code }", map[string]string{"code": "1"}, "1", nil},
		{"braces of the text", "{{{code}}} {{code}}", map[string]string{"code": "1"}, "{1} {code}", nil},
		{"a value of anything", "[{v}]", map[string]string{"v": "a b\n{v}}}_,\t\x00"}, "[a b\n{v}}}_,\t\x00]", nil},
		{"an empty value", "[{v}]", map[string]string{"v": ""}, "[]", nil},
		{"100 characters", "{v}", map[string]string{"v": strings.Repeat("س", 100)}, strings.Repeat("س", 100), nil},
		{"101 characters", "{v}", map[string]string{"v": strings.Repeat("س", 101)}, "", &sms.Misfit{Long: []string{"v"}}},
		{"missing", "{b} {a} {c}", map[string]string{"c": "1"}, "", &sms.Misfit{Missing: []string{"a", "b"}}},
		{"unknown", "{a}", map[string]string{"a": "1", "A": "1", "x": "2"}, "", &sms.Misfit{Unknown: []string{"A", "x"}}},
		{"all at once", "{a} {b}", map[string]string{"x": "1", "b": strings.Repeat("1", 101)}, "",
			&sms.Misfit{Missing: []string{"a"}, Unknown: []string{"x"}, Long: []string{"b"}}},
	} {
		template, err := sms.ParseTemplate(c.template)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := template.Fill(c.values)
		var misfit *sms.Misfit
		if err != nil && !errors.As(err, &misfit) {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.misfit, misfit); diff != "" || got != c.want {
			t.Errorf("%s: %q %s", c.name, got, diff)
		}
	}
}

func TestMisfitTellsNoValue(t *testing.T) {
	t.Parallel()
	template, err := sms.ParseTemplate("{a} {b}")
	if err != nil {
		t.Fatal(err)
	}
	_, err = template.Fill(map[string]string{"a": strings.Repeat("secret", 20), "09120000000": "secret"})
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "0912") {
		t.Errorf("%v", err)
	}
	if want := `parameters: missing ["b"], too long ["a"], unknown 1`; err.Error() != want {
		t.Errorf("%v, want %v", err, want)
	}
}

func TestParseTemplateRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, where string
		want        error
	}{
		{"a { b", "character 3", sms.ErrBrace},
		{"a } b", "character 3", sms.ErrBrace},
		{"سلام {code", "character 6", sms.ErrBrace},
		{"{a}}", "character 4", sms.ErrBrace},
		{"{}", "character 1", sms.ErrName},
		{"{  }", "character 1", sms.ErrName},
		{"{a b}", "character 1", sms.ErrName},
		{"{a{b}", "character 1", sms.ErrName},
		{"{{{}", "character 3", sms.ErrName},
		{"{" + strings.Repeat("n", 41) + "}", "character 1", sms.ErrName},
		{"{a\xff}", "character 1", sms.ErrName},
	} {
		if _, err := sms.ParseTemplate(c.text); !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), c.where+":") {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if template, err := sms.ParseTemplate("{" + strings.Repeat("ن", 40) + "}"); err != nil || len(template.Names()) != 1 {
		t.Errorf("a name of 40 letters: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	template, err := sms.ParseTemplate("{b} {a} {b} {{c}}")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, template.Names()); diff != "" {
		t.Error(diff)
	}
}

// Any text is a template of itself when its braces are doubled, and any values
// come out as they went in.
func TestDoubledBracesAndValuesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.String().Draw(t, "before")
		value := rapid.StringN(0, 100, -1).Draw(t, "value")
		after := rapid.String().Draw(t, "after")
		template, err := sms.ParseTemplate(double.Replace(before) + "{v}" + double.Replace(after))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := template.Fill(map[string]string{"v": value}); err != nil || got != before+value+after {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

var double = strings.NewReplacer("{", "{{", "}", "}}")

func FuzzTemplate(f *testing.F) {
	f.Add("{{a}} {b} }}")
	f.Add("{a{{b}}")
	f.Fuzz(func(t *testing.T, text string) {
		template, err := sms.ParseTemplate(text)
		if err != nil {
			if !errors.Is(err, sms.ErrBrace) && !errors.Is(err, sms.ErrName) {
				t.Errorf("%v", err)
			}
			return
		}
		values := map[string]string{}
		for _, name := range template.Names() {
			values[name] = "{" + name + "}"
		}
		filled, err := template.Fill(values)
		if err != nil {
			t.Errorf("%v", err)
		}
		plain := !strings.Contains(text, "{{") && !strings.Contains(text, "}}") && !strings.ContainsFunc(text, unicode.IsSpace)
		if plain && filled != text {
			t.Errorf("%q, each name put back, is %q", text, filled)
		}
	})
}
