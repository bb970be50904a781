package persian

import (
	"strconv"
	"strings"
)

// In UTF-8 the Persian digits U+06F0 to U+06F9 are DB B0 to DB B9, and the
// Arabic-Indic digits U+0660 to U+0669 are D9 A0 to D9 A9.
const (
	leadPersian = 0xDB
	tailPersian = 0xB0
	leadArabic  = 0xD9
	tailArabic  = 0xA0
)

// Digits writes the Persian and Arabic-Indic digits of s in ASCII and leaves
// everything else, invalid UTF-8 included, as it is. Text without such digits
// is returned itself.
func Digits(s string) string {
	at := indexNative(s)
	if at < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for at >= 0 {
		out = append(out, s[:at]...)
		out = append(out, '0'+s[at+1]&0x0F)
		s = s[at+2:]
		at = indexNative(s)
	}
	return string(append(out, s...))
}

// ToPersianDigits writes the ASCII and Arabic-Indic digits of s in Persian, for
// text that a person reads.
func ToPersianDigits(s string) string {
	var out strings.Builder
	out.Grow(len(s))
	for _, c := range []byte(Digits(s)) {
		if c < '0' || c > '9' {
			out.WriteByte(c)
			continue
		}
		out.WriteByte(leadPersian)
		out.WriteByte(tailPersian + c - '0')
	}
	return out.String()
}

// indexNative finds the first Persian or Arabic-Indic digit. Looking at bytes is
// safe: a lead byte is never the tail of another character.
func indexNative(s string) int {
	for i := 0; i+1 < len(s); i++ {
		switch s[i] {
		case leadPersian:
			if s[i+1]-tailPersian <= 9 {
				return i
			}
		case leadArabic:
			if s[i+1]-tailArabic <= 9 {
				return i
			}
		}
	}
	return -1
}

// Number writes a number as Persian text does: Persian digits, with U+066C
// every three of them (۴۵٬۰۰۰).
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "\u066c" + s[i:]
	}
	return ToPersianDigits(s)
}
