package literal_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/literal"
)

// encoded is what encoding/json writes.
func encoded(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func TestAppendEveryByte(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for _, s := range []string{string([]byte{byte(c)}), "a" + string([]byte{byte(c)}) + "b", string(rune(c))} {
			if diff := cmp.Diff(encoded(t, s), string(literal.Append(nil, s))); diff != "" {
				t.Errorf("%q (-encoding/json +literal):\n%s", s, diff)
			}
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, s := range []string{
		"", "محمدرضا", "کد\u200cملی", "</script>&", "a\u2028b\u2029", "\ufffd", "\xe2\x80", "\xe2\x80\xa8\xff", "\U0010ffff", "\xed\xa0\x80",
		"\x00\x1f\x7f\"\\\b\f\n\r\t/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := string(literal.Append([]byte("before "), s))
		if diff := cmp.Diff("before "+encoded(t, s), got); diff != "" {
			t.Errorf("%q (-encoding/json +literal):\n%s", s, diff)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	room := make([]byte, 0, 256)
	for b.Loop() {
		room = literal.Append(room[:0], "اسفندیاری اصفهانی")
	}
}
