package strict

import (
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads the string whose opening quote is next. Most bytes of a body go
// through its loop, so it works on locals and judges UTF-8 once, at the end.
func (p *parser) quoted() (string, error) {
	text, start, high := p.text, p.at+1, byte(0)
	for i := start; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			high |= c
			continue
		}
		p.at = i
		switch {
		case c == '\\':
			return p.escaped(start)
		case c != '"':
			return "", p.control(start)
		case high >= utf8.RuneSelf && !utf8.ValidString(text[start:i]):
			return "", p.badRune(start)
		}
		p.at++
		return text[start:i], nil
	}
	return "", p.badRune(start)
}

// escaped goes on with the string that began at start, from its first
// backslash.
func (p *parser) escaped(start int) (string, error) {
	var room [128]byte // most strings fit and cost their own memory only
	content, run := room[:0], start
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			if !utf8.ValidString(p.text[run:p.at]) {
				return "", p.badRune(run)
			}
			content = append(content, p.text[run:p.at]...)
			p.at++
			return string(content), nil
		case c == '\\':
			if !utf8.ValidString(p.text[run:p.at]) {
				return "", p.badRune(run)
			}
			content = append(content, p.text[run:p.at]...)
			r, size, err := p.escape()
			if err != nil {
				return "", err
			}
			content = utf8.AppendRune(content, r)
			p.at += size - 1
			run = p.at + 1
		case c < ' ':
			return "", p.control(run)
		}
	}
	return "", p.badRune(run)
}

// escape gives the rune of the escape that is next, and the bytes it takes.
func (p *parser) escape() (rune, int, error) {
	if p.at+1 == len(p.text) {
		return 0, 0, fault(Truncated, len(p.text))
	}
	switch c := p.text[p.at+1]; c {
	case '"', '\\', '/':
		return rune(c), 2, nil
	case 'b':
		return '\b', 2, nil
	case 'f':
		return '\f', 2, nil
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 't':
		return '\t', 2, nil
	case 'u':
		return p.unicode()
	default:
		return 0, 0, fault(Syntax, p.at)
	}
}

// unicode reads a \u escape, or the two of a surrogate pair. U+0000 is refused
// because NUL ends a string in logs and databases: what is stored would not be
// what was checked.
func (p *parser) unicode() (rune, int, error) {
	unit, err := p.hex(p.at + 2)
	if err != nil {
		return 0, 0, err
	}
	if unit == 0 {
		return 0, 0, fault(Encoding, p.at)
	}
	if !utf16.IsSurrogate(unit) {
		return unit, 6, nil
	}
	if unit >= 0xDC00 {
		return 0, 0, fault(Encoding, p.at)
	}
	for i, want := range []byte(`\u`) {
		if p.at+6+i == len(p.text) {
			return 0, 0, fault(Truncated, len(p.text))
		}
		if p.text[p.at+6+i] != want {
			return 0, 0, fault(Encoding, p.at)
		}
	}
	low, err := p.hex(p.at + 8)
	if err != nil {
		return 0, 0, err
	}
	r := utf16.DecodeRune(unit, low)
	if r == utf8.RuneError {
		return 0, 0, fault(Encoding, p.at)
	}
	return r, 12, nil
}

// hex reads the four digits at i.
func (p *parser) hex(i int) (rune, error) {
	var unit rune
	for end := i + 4; i < end; i++ {
		if i >= len(p.text) {
			return 0, fault(Truncated, len(p.text))
		}
		digit, ok := fromHex(p.text[i])
		if !ok {
			return 0, fault(Syntax, p.at)
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, nil
}

// control is the fault of the raw control character that is next, unless the
// text from start on has an earlier one.
func (p *parser) control(start int) error {
	if !utf8.ValidString(p.text[start:p.at]) {
		return p.badRune(start)
	}
	if p.text[p.at] == 0 {
		return fault(Encoding, p.at)
	}
	return fault(Syntax, p.at)
}

// badRune is the fault of a string's raw text from start on: its first invalid
// character, or the end of the body, which may be inside a character.
func (p *parser) badRune(start int) error {
	for at := start; at < len(p.text); {
		r, size := utf8.DecodeRuneInString(p.text[at:])
		if r == utf8.RuneError && size == 1 {
			if !utf8.FullRuneInString(p.text[at:]) {
				break
			}
			return fault(Encoding, at)
		}
		at += size
	}
	return fault(Truncated, len(p.text))
}

func fromHex(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= lowerByte(c) && lowerByte(c) <= 'f':
		return lowerByte(c) - 'a' + 10, true
	}
	return 0, false
}
