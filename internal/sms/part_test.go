package sms_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/sms"
)

func TestCountAtTheBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		coding     sms.Coding
		parts      []int // bytes of each
	}{
		{"nothing", "", sms.GSM7, []int{0}},
		{"160 septets", strings.Repeat("a", 160), sms.GSM7, []int{160}},
		{"161 septets", strings.Repeat("a", 161), sms.GSM7, []int{153, 8}},
		{"306 septets", strings.Repeat("a", 306), sms.GSM7, []int{153, 153}},
		{"307 septets", strings.Repeat("a", 307), sms.GSM7, []int{153, 153, 1}},
		{"80 escaped characters", strings.Repeat("€", 80), sms.GSM7, []int{160}},
		{"an escaped pair ends at 160", strings.Repeat("a", 158) + "€", sms.GSM7, []int{160}},
		{"an escaped pair ends at 161", strings.Repeat("a", 159) + "€", sms.GSM7, []int{153, 8}},
		{"an escaped pair ends at 153", strings.Repeat("a", 151) + "[" + strings.Repeat("b", 20), sms.GSM7, []int{153, 20}},
		{"an escaped pair across 153", strings.Repeat("a", 152) + "[" + strings.Repeat("b", 20), sms.GSM7, []int{152, 22}},
		{"pairs across both bounds", strings.Repeat("a", 152) + strings.Repeat("{", 100), sms.GSM7, []int{152, 152, 48}},
		{"every other part is short", strings.Repeat("~", 153), sms.GSM7, []int{152, 152, 2}},
		{"153 by a pair more than it seems", strings.Repeat("^", 2*76) + "ab", sms.GSM7, []int{152, 153, 1}},
		{"70 units", strings.Repeat("س", 70), sms.UCS2, []int{140}},
		{"71 units", strings.Repeat("س", 71), sms.UCS2, []int{134, 8}},
		{"134 units", strings.Repeat("س", 134), sms.UCS2, []int{134, 134}},
		{"135 units", strings.Repeat("س", 135), sms.UCS2, []int{134, 134, 2}},
		{"35 emoji", strings.Repeat("😀", 35), sms.UCS2, []int{140}},
		{"an emoji ends at 71", strings.Repeat("س", 69) + "😀", sms.UCS2, []int{134, 8}},
		{"an emoji ends at 67", strings.Repeat("س", 65) + "😀" + strings.Repeat("م", 10), sms.UCS2, []int{134, 20}},
		{"an emoji across 67", strings.Repeat("س", 66) + "😀" + strings.Repeat("م", 10), sms.UCS2, []int{132, 24}},
		{"67 emoji", strings.Repeat("😀", 67), sms.UCS2, []int{132, 132, 4}},
		{"one ZWNJ among letters of GSM", strings.Repeat("a", 70) + "\u200c", sms.UCS2, []int{134, 8}},
		{"Persian digits", "۱۲۳۴", sms.UCS2, []int{8}},
		{"a tab, which GSM lacks", "a\tb", sms.UCS2, []int{6}},
		{"an escape, which is no character", "\x1b", sms.UCS2, []int{2}},
		{"a lower-case cedilla", "ç", sms.UCS2, []int{2}},
		{"the replacement of what is no UTF-8", "a\xff\xfeb", sms.UCS2, []int{8}},
	} {
		coding, n := sms.Count(c.text)
		if coding != c.coding || n != len(c.parts) {
			t.Errorf("%s: counted %d in %d, want %d in %d", c.name, n, coding, len(c.parts), c.coding)
		}
		coding, parts := sms.Split(c.text)
		var sizes []int
		for _, p := range parts {
			sizes = append(sizes, len(p))
		}
		if diff := cmp.Diff(c.parts, sizes); diff != "" || coding != c.coding {
			t.Errorf("%s: in %d, %s", c.name, coding, diff)
		}
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string
		coding sms.Coding
		want   []byte
	}{
		{"@£$¥èéùìòÇ\nØø\rÅå", sms.GSM7, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
		{"Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ", sms.GSM7, []byte{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29, 30, 31}},
		{" ¤/09:?¡AZÄÖÑÜ§¿azäöñüà", sms.GSM7, []byte{
			0x20, 0x24, 0x2f, 0x30, 0x39, 0x3a, 0x3f, 0x40, 0x41, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f,
			0x60, 0x61, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f,
		}},
		{"\f^{}\\[~]|€", sms.GSM7, []byte{
			0x1b, 0x0a, 0x1b, 0x14, 0x1b, 0x28, 0x1b, 0x29, 0x1b, 0x2f, 0x1b, 0x3c, 0x1b, 0x3d, 0x1b, 0x3e, 0x1b, 0x40, 0x1b, 0x65,
		}},
		{"سلام، ۱", sms.UCS2, []byte{0x06, 0x33, 0x06, 0x44, 0x06, 0x27, 0x06, 0x45, 0x06, 0x0c, 0x00, 0x20, 0x06, 0xf1}},
		{"می\u200cروم", sms.UCS2, []byte{0x06, 0x45, 0x06, 0xcc, 0x20, 0x0c, 0x06, 0x31, 0x06, 0x48, 0x06, 0x45}},
		{"😀", sms.UCS2, []byte{0xd8, 0x3d, 0xde, 0x00}},
	} {
		coding, parts := sms.Split(c.text)
		if coding != c.coding || len(parts) != 1 || !bytes.Equal(parts[0], c.want) {
			t.Errorf("%q: %d, %x", c.text, coding, parts)
		}
		if got := sms.Decode(coding, c.want); got != c.text {
			t.Errorf("%x: %q", c.want, got)
		}
	}
}

func TestDecodeOfAnything(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		coding sms.Coding
		data   []byte
		want   string
	}{
		{"an escape at the end", sms.GSM7, []byte{'a', 0x1b}, "a\ufffd"},
		{"two escapes", sms.GSM7, []byte{0x1b, 0x1b, 0x65}, "\ufffd€"},
		{"an escaped letter that the extension lacks", sms.GSM7, []byte{0x1b, 'a'}, "a"},
		{"an escape before what is no septet", sms.GSM7, []byte{0x1b, 0x80, 'a'}, "\ufffd\ufffda"},
		{"what is no septet", sms.GSM7, []byte{0xff, 'a'}, "\ufffda"},
		{"an odd byte", sms.UCS2, []byte{0, 'a', 6}, "a\ufffd"},
		{"half a pair", sms.UCS2, []byte{0xd8, 0x3d}, "\ufffd"},
		{"halves in the wrong order", sms.UCS2, []byte{0xde, 0x00, 0xd8, 0x3d, 0, 'a'}, "\ufffd\ufffda"},
		{"ASCII", sms.ASCII, []byte("a@\x80"), "a@\ufffd"},
		{"Latin-1", sms.Latin1, []byte{'a', '@', 0xe9}, "a@é"},
		{"binary", sms.Binary, []byte{0, 0xab}, "00ab"},
		{"a number that nobody knows", 77, []byte{0xf1}, "f1"},
		{"nothing", sms.UCS2, nil, ""},
	} {
		if got := sms.Decode(c.coding, c.data); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestJoinMendsWhatOthersCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		coding sms.Coding
		parts  [][]byte
		want   string
	}{
		{sms.GSM7, [][]byte{{'a', 0x1b}, {0x65, 'b'}}, "a€b"},
		{sms.UCS2, [][]byte{{0, 'a', 0xd8, 0x3d}, {0xde, 0x00, 0, 'b'}}, "a😀b"},
		{sms.UCS2, [][]byte{{0, 'a', 0}, {0, 'b'}}, "a\ufffdb"},
		{sms.Latin1, [][]byte{{0xe9}, {'b'}}, "éb"},
		{sms.Binary, [][]byte{{1}, {2}}, "0102"},
		{sms.UCS2, nil, ""},
	} {
		if got := sms.Join(c.coding, c.parts); got != c.want {
			t.Errorf("%x: %q, want %q", c.parts, got, c.want)
		}
	}
}

func TestSplitAndJoinGiveTheTextBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		checkSplit(t, text)
	})
}

type reporter interface {
	Helper()
	Errorf(string, ...any)
}

func checkSplit(t reporter, text string) {
	t.Helper()
	coding, parts := sms.Split(text)
	if got, want := sms.Join(coding, parts), string([]rune(text)); got != want {
		t.Errorf("%q came back as %q", want, got)
	}
	if c, n := sms.Count(text); c != coding || n != len(parts) || n != rule(text) {
		t.Errorf("%q: counted %d in %d, split into %d in %d, by the rule %d", text, n, c, len(parts), coding, rule(text))
	}
	most := map[sms.Coding]int{sms.GSM7: 153, sms.UCS2: 134}[coding]
	if len(parts) == 1 {
		most = map[sms.Coding]int{sms.GSM7: 160, sms.UCS2: 140}[coding]
	}
	var whole strings.Builder
	for i, p := range parts {
		if len(p) > most || len(p) == 0 && len(parts) > 1 {
			t.Errorf("%q: part %d has %d bytes", text, i, len(p))
		}
		whole.WriteString(sms.Decode(coding, p))
	}
	// A character that was cut would be two U+FFFD, or two other letters, alone.
	if whole.String() != string([]rune(text)) {
		t.Errorf("%q: part by part it is %q", text, whole.String())
	}
}

// texts are of characters that make a difference.
var texts = rapid.Custom(func(t *rapid.T) string {
	kind := rapid.SampledFrom([]*rapid.Generator[rune]{
		rapid.RuneFrom([]rune("ab@£Δà€[~\f\n\r")),
		rapid.RuneFrom([]rune("ab€[~")),
		rapid.RuneFrom([]rune("aسیک۱\u200c😀👍\ufeff\ufffd")),
		rapid.RuneFrom([]rune("س😀")),
		rapid.Rune(),
	}).Draw(t, "kind")
	return rapid.StringOfN(kind, 0, 400, -1).Draw(t, "text")
})

// rule counts parts as the standard's words have it, knowing nothing of the
// code: what the alphabet has is spelled out here once more.
func rule(text string) int {
	const one = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\n\r"
	const two = "^{}\\[~]|€\f"
	var sizes []int
	alone, each := 160, 153
	for _, r := range text {
		switch {
		case strings.ContainsRune(one, r) && r != '\ufffd':
			sizes = append(sizes, 1)
		case strings.ContainsRune(two, r) && r != '\ufffd':
			sizes = append(sizes, 2)
		default:
			alone, each = 70, 67
		}
	}
	if each == 67 {
		sizes = nil
		for _, r := range text {
			sizes = append(sizes, len(utf16.Encode([]rune{r})))
		}
	}
	total, count, filled := 0, 1, 0
	for _, size := range sizes {
		total += size
		if filled+size > each {
			count, filled = count+1, 0
		}
		filled += size
	}
	if total <= alone {
		return 1
	}
	return count
}

// SMS-7: what is charged for is what a second count finds.
func TestCountAgreesWithTheRule(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	sets := [][]rune{
		[]rune("abcdefghij KLMNOP0123456789.,"),
		[]rune("abc€[]{}~^|\\\f"),
		[]rune("سلام ضصثقفغعهخحجچ۰۱۲۳۴۵۶۷۸۹،؟\u200c"),
		[]rune("سلام abc 😀👍🏽\u200d"),
		[]rune("Ωabcçé£\t\n"),
	}
	seen := map[sms.Coding]map[int]bool{sms.GSM7: {}, sms.UCS2: {}}
	for range 10_000 {
		set := sets[random.IntN(len(sets))]
		runes := make([]rune, random.IntN(700))
		for i := range runes {
			runes[i] = set[random.IntN(len(set))]
		}
		coding, n := sms.Count(string(runes))
		if n != rule(string(runes)) {
			t.Fatalf("%q: %d, by the rule %d", string(runes), n, rule(string(runes)))
		}
		seen[coding][n] = true
	}
	if len(seen[sms.GSM7]) < 5 || len(seen[sms.UCS2]) < 10 {
		t.Errorf("the texts had too few sizes: %v", seen)
	}
}

func TestCountDoesNotAllocate(t *testing.T) {
	long := strings.Repeat("سلام 😀", 40)
	if n := testing.AllocsPerRun(10, func() { sms.Count(long) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "abc", strings.Repeat("€", 81), strings.Repeat("س", 66) + "😀م", "\xff", "\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { checkSplit(t, text) })
}

func FuzzDecode(f *testing.F) {
	f.Add(byte(0), []byte("\x1b\x1b\x65\x80"))
	f.Add(byte(8), []byte{0xd8, 0x3d, 0xde})
	f.Fuzz(func(t *testing.T, c byte, data []byte) {
		before := bytes.Clone(data)
		text := sms.Decode(sms.Coding(c), data)
		if !bytes.Equal(before, data) {
			t.Error("the data was changed")
		}
		if !utf8.ValidString(text) {
			t.Errorf("%q is no UTF-8", text)
		}
		checkSplit(t, text)
	})
}

func FuzzJoin(f *testing.F) {
	f.Add(byte(8), []byte{0, 'a', 0xd8, 0x3d, 0xde, 0}, 4)
	f.Add(byte(0), []byte("ab\x1b\x65c"), 3)
	f.Fuzz(func(t *testing.T, c byte, data []byte, at int) {
		at = min(max(at, 0), len(data))
		if sms.Coding(c) == sms.UCS2 {
			at &^= 1
		}
		whole := sms.Decode(sms.Coding(c), data)
		if got := sms.Join(sms.Coding(c), [][]byte{data[:at], data[at:]}); got != whole {
			t.Errorf("cut at %d it is %q, whole %q", at, got, whole)
		}
	})
}
