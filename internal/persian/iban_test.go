package persian

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseIBAN(t *testing.T) {
	t.Parallel()
	parse := code(ParseIBAN, IBAN.Electronic)
	check(t, parse, refusedAlike)
	check(t, parse, []vector{
		{"IR820540102680020817909002", "IR820540102680020817909002", nil},
		{"IR062960000000100324200001", "IR062960000000100324200001", nil},
		{"IR200170000000000123456789", "IR200170000000000123456789", nil},
		{"820540102680020817909002", "IR820540102680020817909002", nil},
		{"ir820540102680020817909002", "IR820540102680020817909002", nil},
		{"iR82-0540-1026-8002-0817-9090-02", "IR820540102680020817909002", nil},
		{"IR82 0540 1026 8002 0817 9090 02", "IR820540102680020817909002", nil},
		{"\u2066IR۸۲\u2069\u00a0\u2066۰۵۴۰\u2069\u00a0\u2066۱۰۲۶\u2069\u00a0\u2066۸۰۰۲\u2069\u00a0۰۸۱۷\u00a0۹۰۹۰\u00a0۰۲", "IR820540102680020817909002", nil},
		{"IR123456789012345678901234", "", ErrChecksum},
		{"IR910800005000115426432001", "", ErrChecksum},
		{"IR060120000000000000000000", "", ErrChecksum},
		{"IR000000000000000000000000", "", ErrChecksum},
		{"IR82054010268002081790900", "", ErrLength},
		{"IR8205401026800208179090021", "", ErrLength},
		{"IR", "", ErrLength},
		{"IRIR820540102680020817909002", "", ErrDigits},
		{"DE89370400440532013000", "", ErrDigits},
		{"ıR820540102680020817909002", "", ErrDigits}, // upper-casing would make it IR
		{"IR82054010268002081790900X", "", ErrDigits},
	})
}

func TestIBANBank(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"IR820540102680020817909002": "پارسیان",
		"IR062960000000100324200001": "",
		"IR200170000000000123456789": "ملی",
	} {
		if got := must(ParseIBAN(s)).Bank(); got != want {
			t.Errorf("the bank of %s is %q, want %q", s, got, want)
		}
	}
	if len(ibanBank) != 38 {
		t.Errorf("%d banks in the table, 38 are known", len(ibanBank))
	}
}

// ibanFits does the arithmetic of ISO 13616 on the whole number at once.
func ibanFits(electronic string) bool {
	n, ok := new(big.Int).SetString(electronic[4:]+"1827"+electronic[2:4], 10)
	return ok && new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}

func TestIBANCheckDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		account := rapid.StringMatching(`[0-9]{22}`).Draw(t, "account")
		right := 0
		for check := 2; check <= 98; check++ {
			text := fmt.Sprintf("IR%02d%s", check, account)
			i, err := ParseIBAN(text)
			if (err == nil) != ibanFits(text) {
				t.Fatalf("%s: %v", text, err)
			}
			if err == nil {
				right++
				if i.Electronic() != text {
					t.Fatalf("%s reads as %s", text, i.Electronic())
				}
			}
		}
		if right != 1 {
			t.Fatalf("%s has %d check numbers", account, right)
		}
	})
}

func FuzzIBAN(f *testing.F) {
	seed(f, "IR820540102680020817909002", "ir82 0540 1026 8002 0817 9090 02", "820540102680020817909002", "IR۸۲۰۵۴۰۱۰۲۶۸۰۰۲۰۸۱۷۹۰۹۰۰۲", "IR", strings.Repeat("IR", 40))
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s, ParseIBAN, IBAN.Electronic)
		if i, err := ParseIBAN(s); err == nil && (len(i.Electronic()) != 26 || i.Electronic()[:2] != "IR" || !ibanFits(i.Electronic())) {
			t.Errorf("%q gives %q", s, i.Electronic())
		}
	})
}
