package operator_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/operator"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][]string{
		"":                                 {""},
		"0":                                {"0"},
		"000":                              {"0"},
		"00AbC":                            {"abc", "2748"},
		"0xABC":                            {"abc", "2748"},
		"2748\n":                           {"2748", "abc", "10056"},
		"7":                                {"7"},
		"+7":                               {"+7"},
		"1_0":                              {"1_0"},
		"msg-0a":                           {"msg-0a"},
		"0d6e2f9c-77aa":                    {"d6e2f9c-77aa"},
		"18446744073709551615":             {"18446744073709551615", "ffffffffffffffff", "114598615266301018707477"},
		"c0ffee00c0ffee00c0ffee00c0ffee00": {"c0ffee00c0ffee00c0ffee00c0ffee00"},
	} {
		if diff := cmp.Diff(want, operator.Keys(id)); diff != "" {
			t.Errorf("%q: %s", id, diff)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := new(big.Int).SetUint64(rapid.Uint64().Draw(t, "id"))
		spell := func(name string) string {
			s := n.Text(rapid.SampledFrom([]int{10, 16}).Draw(t, name+" base"))
			if rapid.Bool().Draw(t, name+" case") {
				s = strings.ToUpper(s)
			}
			return strings.Repeat("0", rapid.IntRange(0, 10).Draw(t, name+" zeros")) + s
		}
		stored, told := spell("answer"), spell("receipt")
		if !slices.Contains(operator.Keys(told), operator.Keys(stored)[0]) {
			t.Errorf("%s is not found as %s", stored, told)
		}
	})
}
