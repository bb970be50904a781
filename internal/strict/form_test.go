package strict_test

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/strict"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFormReadsFields(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       [][2]string
	}{
		{"nothing", "", nil},
		{"empty pairs", "&&a=1&&b=2&", [][2]string{{"a", "1"}, {"b", "2"}}},
		{"name alone", "a&b=", [][2]string{{"a", ""}, {"b", ""}}},
		{"value alone", "=x", [][2]string{{"", "x"}}},
		{"equals sign in a value", "a=b=c", [][2]string{{"a", "b=c"}}},
		{"semicolon is data", "a=1;b=2", [][2]string{{"a", "1;b=2"}}},
		{"blanks", "a+b=c+d%20e", [][2]string{{"a b", "c d e"}}},
		{"escapes", "%61=%26%3d%2B%25", [][2]string{{"a", "&=+%"}}},
		{"Persian", "a=%D8%B9%d9%84ی", [][2]string{{"a", "علی"}}},
		{"a character half escaped", "a=\xd8%B9", [][2]string{{"a", "ع"}}},
		{"escaped newline", "a=x%0D%0Ay", [][2]string{{"a", "x\r\ny"}}},
		{"mark inside", "a=\ufeff", [][2]string{{"a", "\ufeff"}}},
		{"beyond the first room", "a=" + strings.Repeat("+", 500), [][2]string{{"a", strings.Repeat(" ", 500)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fields, err := strict.Form([]byte(tt.body), strict.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, pairs(fields)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFormRefusesWithKindAndOffset(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		kind       strict.Kind
		offset     int
	}{
		{"bad escape", "a=%zz", strict.Syntax, 2},
		{"bad escape in a name", "x=1&%4=x", strict.Syntax, 4},
		{"short escape", "a=%4&b=1", strict.Syntax, 2},
		{"percent alone", "a=100%&b=1", strict.Syntax, 5},
		{"percent at the end", "a=%", strict.Truncated, 3},
		{"half an escape at the end", "a=%4", strict.Truncated, 4},
		{"raw newline", "a=1\n", strict.Syntax, 3},
		{"raw delete", "a=\x7f", strict.Syntax, 2},
		{"raw NUL", "a=1&b\x00=2", strict.Encoding, 5},
		{"escaped NUL", "a=1%00", strict.Encoding, 3},
		{"Latin-1", "a=1&b=caf%E9", strict.Encoding, 6},
		{"raw Latin-1 in a name", "a=1&\xe9=2", strict.Encoding, 4},
		{"escaped surrogate", "a=%ED%A0%80", strict.Encoding, 2},
		{"byte order mark", "\ufeffa=1", strict.Encoding, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := strict.Form([]byte(tt.body), strict.Limits{})
			if diff := cmp.Diff(&strict.Error{Kind: tt.kind, Offset: tt.offset}, asError(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFormNamesInAnyCase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body, repeated string
		yes            bool
	}{
		{"Client_secret=a&Grant_type=b&client_id=c", "", false},
		{"client_id=a&scope=b&Client_ID=c&SCOPE=d", "Client_ID", true},
		{"client_id=a&client%5Fid=c", "client_id", true},
		{"a=1&a=1", "a", true},
		{"a&a", "a", true},
		{"=1&=2", "", true},
		{"k=1&\u212a=2", "", false},
		{manyFields(20) + "&F3=x", "F3", true},
		{manyFields(20) + "&F19=x", "F19", true},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			t.Parallel()
			fields, err := strict.Form([]byte(tt.body), strict.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if name, yes := fields.Repeated(); name != tt.repeated || yes != tt.yes {
				t.Errorf("repeated: got %q, %v, want %q, %v", name, yes, tt.repeated, tt.yes)
			}
		})
	}
	fields, err := strict.Form([]byte("Client_secret=first&CLIENT_SECRET=second"), strict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, present := fields.Get("client_Secret"); got != "first" || !present {
		t.Errorf("got %q, %v", got, present)
	}
	if _, present := fields.Get("client-secret"); present {
		t.Error("found a field that is not there")
	}
}

func TestFormLimitIsExact(t *testing.T) {
	t.Parallel()
	for limits, limit := range map[strict.Limits]int{{}: 256, {Keys: 5}: 5} {
		for n, want := range map[int]strict.Kind{limit - 1: noError, limit: noError, limit + 1: strict.TooMany} {
			_, err := strict.Form([]byte(manyFields(n)+"&&"), limits)
			if got := kindOf(err); got != want {
				t.Errorf("%d of %d: got %q, want %q", n, limit, got, want)
			}
		}
	}
}

func TestFormReadsWhatTheStandardWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := url.Values{}
		for name, value := range rapid.MapOfN(text(), text(), 0, 20).Draw(t, "fields") {
			values.Set(name, value)
		}
		fields, err := strict.Form([]byte(values.Encode()), strict.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got := url.Values{}
		for name, value := range fields.All() {
			got.Add(name, value)
		}
		if diff := cmp.Diff(values, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzForm(f *testing.F) {
	sample := "Grant_type=password&client%5Fid=a+b&x=%D8%B9&&y"
	for end := range len(sample) + 1 {
		f.Add([]byte(sample[:end]))
	}
	for _, body := range []string{
		"a=1;b=2", "a=%00", "a=\x00", "a=%zz", "a=%ff", "a=\xff", "\ufeffa=1", "a=1&A=2", "=&=", "a=1\n",
		manyFields(257), strings.Repeat("&", 5_000), "a=" + strings.Repeat("%41", 1000),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.Count(body, []byte("&")) >= 10_000 {
			t.Skip("url.ParseQuery counts empty pairs and stops here")
		}
		fields, err := strict.Form(body, strict.Limits{})
		// The standard library refuses a bare semicolon, which is data here.
		want, standardErr := url.ParseQuery(strings.ReplaceAll(string(body), ";", "%3B"))
		if err != nil {
			refusalIsFounded(t, body, err, standardErr)
			return
		}
		if standardErr != nil {
			t.Fatalf("%q: accepted, but: %v", body, standardErr)
		}
		got, seen := url.Values{}, map[string]bool{}
		repeats := false
		for name, value := range fields.All() {
			got.Add(name, value)
			folded := asciiCase(name, 'A', 'Z')
			repeats, seen[folded] = repeats || seen[folded], true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-standard +strict):\n%s", body, diff)
		}
		if _, yes := fields.Repeated(); yes != repeats {
			t.Fatalf("%q: repeated %v, want %v", body, yes, repeats)
		}
	})
}

// refusalIsFounded checks that a syntax is refused only if the standard library
// refuses it too or a control character stands there.
func refusalIsFounded(t *testing.T, body []byte, err, standardErr error) {
	t.Helper()
	one := asError(err)
	if one == nil || one.Offset < 0 || one.Offset > len(body) {
		t.Fatalf("%q: error %#v", body, err)
	}
	switch one.Kind {
	case strict.Encoding, strict.TooMany:
	case strict.Syntax, strict.Truncated:
		if standardErr == nil && (one.Offset == len(body) || body[one.Offset] >= ' ' && body[one.Offset] != 0x7F) {
			t.Fatalf("%q: well-formed, but %v", body, err)
		}
	default:
		t.Fatalf("%q: %v", body, err)
	}
}

func pairs(fields strict.Fields) [][2]string {
	var list [][2]string
	for name, value := range fields.All() {
		list = append(list, [2]string{name, value})
	}
	return list
}

func manyFields(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("f%d=x", i))
	}
	return strings.Join(list, "&")
}
