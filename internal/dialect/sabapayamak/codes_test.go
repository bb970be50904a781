package sabapayamak

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTableIsTheLibrarys compares letter by letter: an Arabic yeh is not a
// Persian one, and two blanks are not one.
func TestTableIsTheLibrarys(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/page/codes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "#") {
			want = append(want, strings.TrimSuffix(line, "\n"))
		}
	}
	var got []string
	for _, r := range table {
		got = append(got, fmt.Sprintf("%d\t%s\t%s", r.code, r.name, r.text))
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 40 {
		t.Errorf("%d codes: %s", len(got), diff)
	}
	if len(texts) != len(table) {
		t.Errorf("%d texts for %d codes: one comes twice", len(texts), len(table))
	}
}

// TestCodesHaveTexts: what is answered with is in the library's table.
func TestCodesHaveTexts(t *testing.T) {
	t.Parallel()
	for fault, a := range answers {
		if texts[a.code] == "" {
			t.Errorf("%v: no text for code %d", fault, a.code)
		}
	}
	for _, special := range []wording{ofQuery, ofMessage} {
		for fault, a := range special {
			if texts[a.code] == "" || a == answers[fault] {
				t.Errorf("%v: code %d", fault, a.code)
			}
		}
	}
	for field, code := range fieldCodes {
		if texts[code] == "" {
			t.Errorf("%s: no text for code %d", field.Name, code)
		}
	}
}
