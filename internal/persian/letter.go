package persian

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// zwnj parts two joined letters without a blank. It belongs to good Persian
// spelling (the middle of the word for business, say), so only keys lose it.
const zwnj = '\u200c'

// Clean makes what a person typed plain, and fit to be stored and shown: NFC,
// presentation forms spelled as letters, ASCII digits, Persian yeh and kaf for
// the Arabic ones, no direction marks or zero-width characters but ZWNJ inside
// words, no blanks at the ends. Invalid UTF-8 becomes U+FFFD. Control
// characters such as NUL stay, so that the caller sees and refuses them.
//
// It is for names and codes, not for the text of a message: it takes apart the
// emoji that are joined by U+200D.
func Clean(s string) string {
	if isASCII(s) {
		return strings.TrimSpace(s)
	}
	s = strings.Map(dropInvisible, s)
	if strings.ContainsFunc(s, isPresentation) {
		s = spellPresentation(s)
	}
	// Folding comes after NFC: Arabic yeh with a hamza after it is one letter,
	// Persian yeh with a hamza after it is two.
	s = strings.Map(foldTyped, norm.NFC.String(s))
	s = strings.TrimFunc(s, isBlankOrZWNJ)
	return tidyZWNJ(s)
}

// Compact is Clean without any blank, ZWNJ or hyphen: the form in which number-
// like input is looked at.
func Compact(s string) string {
	s = strings.Map(dropSeparator, Clean(s))
	if isASCII(s) {
		return s
	}
	return norm.NFC.String(s)
}

// Key is what two spellings of one name or user name have in common: NFKC, the
// letters that registers mix up folded together, no vowel marks, no tatweel, no
// blanks, no ZWNJ, lower case. It is for comparing, never for showing.
func Key(s string) string {
	// What one round drops can bring together what the next one composes, and
	// what is composed can need folding. Text people write is done in one round
	// and seen to be done in the second; the limit is for hostile input.
	for range 6 {
		next := keyRound(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

func keyRound(s string) string {
	s = strings.Map(dropInvisible, s)
	return strings.Map(foldKey, norm.NFKC.String(s))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// dropInvisible drops what changes neither meaning nor shape and comes along
// when text is copied out of a page or a chat.
func dropInvisible(r rune) rune {
	switch {
	case r == '\u200b', r == '\u200d', r == '\u200e', r == '\u200f', // zero-width space, joiner, marks
		r == '\u061c',                  // Arabic letter mark
		r >= '\u202a' && r <= '\u202e', // embeddings and overrides
		r >= '\u2060' && r <= '\u206f', // word joiner, isolates, deprecated formats
		r == '\u180e', r == '\ufeff':
		return -1
	}
	return r
}

// isPresentation reports the letter shapes that old systems store instead of
// letters. The block's last code point, the BOM, is gone by now.
func isPresentation(r rune) bool {
	return r >= '\ufb50' && r <= '\ufdff' || r >= '\ufe70' && r <= '\ufefe'
}

// spellPresentation leaves all other characters alone, so that NFKC does not
// rewrite a superscript or a fraction in a text that a person will see.
func spellPresentation(s string) string {
	var out strings.Builder
	for _, r := range s {
		if isPresentation(r) {
			out.WriteString(norm.NFKC.String(string(r)))
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func foldTyped(r rune) rune {
	switch r {
	case 'ي', 'ى':
		return 'ی'
	case 'ك':
		return 'ک'
	}
	return foldDigit(r)
}

func foldDigit(r rune) rune {
	switch {
	case r >= '۰' && r <= '۹':
		return r - '۰' + '0'
	case r >= '٠' && r <= '٩':
		return r - '٠' + '0'
	}
	return r
}

func foldKey(r rune) rune {
	switch r {
	case 'ة', 'ۀ':
		return 'ه'
	case 'أ', 'إ', 'ٱ':
		return 'ا'
	case 'ؤ':
		return 'و'
	case 'ئ':
		return 'ی'
	}
	// The hamza marks U+0654 and U+0655 go with the vowel marks, since heh and a
	// hamza mark are the two-character spelling of a letter folded above.
	if r == 'ـ' || r >= '\u064b' && r <= '\u0652' || r == '\u0654' || r == '\u0655' || isBlankOrZWNJ(r) {
		return -1
	}
	return unicode.ToLower(foldTyped(r))
}

func isBlankOrZWNJ(r rune) bool { return r == zwnj || unicode.IsSpace(r) }

func dropSeparator(r rune) rune {
	if isHyphen(r) || isBlankOrZWNJ(r) {
		return -1
	}
	return r
}

// isHyphen knows the dashes that word processors put in the hyphen's place, and
// the minus sign.
func isHyphen(r rune) bool {
	return r == '-' || r >= '\u2010' && r <= '\u2015' || r == '\u2212'
}

// tidyZWNJ keeps one ZWNJ where something stands on both of its sides, and none
// beside a blank, where it is left over from editing.
func tidyZWNJ(s string) string {
	if !strings.ContainsRune(s, zwnj) {
		return s
	}
	var out strings.Builder
	last, pending := ' ', false
	for _, r := range s {
		if r == zwnj {
			pending = true
			continue
		}
		if pending && !unicode.IsSpace(last) && !unicode.IsSpace(r) {
			out.WriteRune(zwnj)
		}
		out.WriteRune(r)
		last, pending = r, false
	}
	return out.String()
}
