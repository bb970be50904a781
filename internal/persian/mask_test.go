package persian

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// must unwraps a parser's answer for a text that the test knows to be right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// masks are one value of each masked type, its text and its mask.
func masks() map[string]struct {
	value any
	text  string
	mask  string
} {
	type row = struct {
		value any
		text  string
		mask  string
	}
	return map[string]row{
		"national code": {must(ParseNationalCode("1234567891")), "1234567891", "***"},
		"legal id":      {must(ParseLegalID("10380284790")), "10380284790", "***"},
		"foreigner id":  {must(ParseForeignerID("101234567891")), "101234567891", "***"},
		"postal code":   {must(ParsePostalCode("1193653471")), "1193653471", "***"},
		"iban":          {must(ParseIBAN("IR820540102680020817909002")), "IR820540102680020817909002", "***"},
		"card":          {must(ParseCard("6037701689095443")), "6037701689095443", "603770******5443"},
		"mobile":        {must(ParseMobile("09121234567")), "09121234567", "***"},
		"plate":         {must(ParsePlate("12", "ب", "345", "67")), "12ب34567", "***"},
	}
}

func TestMaskInEveryVerb(t *testing.T) {
	t.Parallel()
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%#x", "% x", "%d", "%08d", "%t", "%c", "%20s", "%-3s", "%.1s"}
	for name, m := range masks() {
		for _, verb := range verbs {
			if got := fmt.Sprintf(verb, m.value); got != m.mask {
				t.Errorf("%s with %s is %q, want %q", name, verb, got, m.mask)
			}
		}
		if got := fmt.Sprint(m.value); got != m.mask {
			t.Errorf("%s prints as %q, want %q", name, got, m.mask)
		}
	}
}

// TestMaskInside looks at values one level down, where fmt calls methods only on
// what is exported.
func TestMaskInside(t *testing.T) {
	t.Parallel()
	for name, m := range masks() {
		inside := struct {
			Code any
			List []any
			Map  map[string]any
		}{m.value, []any{m.value}, map[string]any{"k": m.value}}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, inside); strings.Contains(got, m.text) || strings.Count(got, m.mask) != 3 {
				t.Errorf("%s in a struct with %s is %s", name, verb, got)
			}
		}
	}
}

func TestMaskInTypedFields(t *testing.T) {
	t.Parallel()
	type question struct {
		Code    NationalCode
		Pointer *NationalCode
		ByCode  map[NationalCode]Mobile
		Missing Card `json:",omitzero"`
	}
	code, phone := must(ParseNationalCode("1234567891")), must(ParseMobile("09121234567"))
	q := question{Code: code, Pointer: &code, ByCode: map[NationalCode]Mobile{code: phone}}
	got := fmt.Sprintf("%v %+v %#v", q, q, q) + string(must(json.Marshal(q)))
	if strings.Contains(got, "1234567") {
		t.Errorf("a struct of codes tells them: %s", got)
	}
	if want := `{"Code":"***","Pointer":"***","ByCode":{"***":"***"}}`; string(must(json.Marshal(q))) != want {
		t.Errorf("as JSON: %s, want %s", must(json.Marshal(q)), want)
	}
}

func TestMaskInLogs(t *testing.T) {
	t.Parallel()
	for name, m := range masks() {
		// A handler of somebody else's may look at the value instead of printing it.
		if v := slog.AnyValue(m.value).Resolve(); v.Kind() != slog.KindString || v.String() != m.mask {
			t.Errorf("%s is %v %v for a log handler", name, v.Kind(), v)
		}
		var out bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("asked", "code", m.value, "inside", struct{ Code any }{m.value}, "list", []any{m.value})
		}
		if strings.Contains(out.String(), m.text) || strings.Count(out.String(), m.mask) != 6 {
			t.Errorf("%s in the log: %s", name, out.String())
		}
	}
}

func TestMaskMarshalled(t *testing.T) {
	t.Parallel()
	for name, m := range masks() {
		if got := string(must(json.Marshal(m.value))); got != `"`+m.mask+`"` {
			t.Errorf("%s as JSON is %s", name, got)
		}
		if got := string(must(xml.Marshal(m.value))); strings.Contains(got, m.text) || !strings.Contains(got, m.mask) {
			t.Errorf("%s as XML is %s", name, got)
		}
	}
}

func TestMaskOfNothing(t *testing.T) {
	t.Parallel()
	for _, zero := range []interface {
		fmt.Stringer
		IsZero() bool
	}{NationalCode{}, LegalID{}, ForeignerID{}, PostalCode{}, IBAN{}, Card{}, Mobile{}, Plate{}} {
		if got := fmt.Sprintf("%v%x", zero, zero); got != "" || !zero.IsZero() {
			t.Errorf("zero %T prints as %q, IsZero %v", zero, got, zero.IsZero())
		}
	}
	texts := []string{
		NationalCode{}.Digits(), LegalID{}.Digits(), ForeignerID{}.Digits(), PostalCode{}.Digits(),
		IBAN{}.Electronic(), IBAN{}.Bank(), Card{}.Digits(), Card{}.Issuer(),
		Mobile{}.Local(), Mobile{}.International(), Mobile{}.Operator(),
		Plate{}.Two(), Plate{}.Letter(), Plate{}.Three(), Plate{}.Region(),
	}
	if got := strings.Join(texts, ""); got != "" || (PostalCode{}).Doubtful() {
		t.Errorf("zero values tell %q", got)
	}
}

// checkMasked: no way of writing v out holds six digits of text in a row that
// its mask does not.
func checkMasked(t *testing.T, v any, text string) {
	t.Helper()
	mask := fmt.Sprint(v)
	out := fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v) +
		string(must(json.Marshal(v))) + slog.AnyValue(v).Resolve().String()
	if strings.Contains(out, text) || strings.Contains(strings.ReplaceAll(out, mask, ""), text[:6]) {
		t.Errorf("the mask of %q tells it: %s", text, out)
	}
	if !strings.Contains(mask, "***") {
		t.Errorf("the mask of %q is %q", text, mask)
	}
}
