package strict

import (
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"
)

// Fields are the fields of a form, their names taken in any letter case. The
// zero Fields have none. Their strings may share the memory of the whole body:
// clone those that outlive the call. They print as their type only.
type Fields struct {
	list     []field
	repeated int // place of the first repeated field, from 1; 0 when there is none
}

type field struct{ name, value string }

// Form reads application/x-www-form-urlencoded as the WHATWG URL standard
// writes it: pairs between ampersands (a semicolon is data), empty pairs
// skipped, a plus for a blank, a name alone for an empty value. Beyond that
// standard it refuses, with an *Error, what readers understand differently:
// percent signs without two hexadecimal digits, raw control characters, names
// and values that are not UTF-8 or hold NUL, and a byte order mark. The number
// of fields is bounded by Limits.Keys; the other limits have no meaning here.
func Form(body []byte, l Limits) (Fields, error) {
	text, limit := string(body), l.orDefault().Keys
	if strings.HasPrefix(text, byteOrderMark) {
		return Fields{}, fault(Encoding, 0)
	}
	f := Fields{list: make([]field, 0, min(maxGuess, limit, 1+strings.Count(text, "&")))}
	known := names{fold: true}
	for at := 0; at < len(text); {
		pair, _, _ := strings.Cut(text[at:], "&")
		if pair != "" {
			if len(f.list) == limit {
				return Fields{}, fault(TooMany, at)
			}
			read, err := readField(text, at, at+len(pair))
			if err != nil {
				return Fields{}, err
			}
			f.list = append(f.list, read)
			if !known.add(read.name) && f.repeated == 0 {
				f.repeated = len(f.list)
			}
		}
		at += len(pair) + 1
	}
	return f, nil
}

// Get gives the field's value, of a repeated one the first.
func (f Fields) Get(name string) (value string, present bool) {
	for i := range f.list {
		if sameName(f.list[i].name, name, true) {
			return f.list[i].value, true
		}
	}
	return "", false
}

// Repeated gives the first name that came again, as it was written then. It is
// no error of Form because OAuth has an answer of its own for it
// (invalid_request, RFC 6749 section 5.2). The name is the caller's text: keep
// it out of logs.
func (f Fields) Repeated() (name string, yes bool) {
	if f.repeated == 0 {
		return "", false
	}
	return f.list[f.repeated-1].name, true
}

// All gives the fields in the order and letter case of the body, repeated ones
// included.
func (f Fields) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, one := range f.list {
			if !yield(one.name, one.value) {
				return
			}
		}
	}
}

// Format keeps the content out of logs.
func (f Fields) Format(s fmt.State, _ rune) {
	mask(s, "strict.Fields")
}

// readField reads the pair from start to end of the text.
func readField(text string, start, end int) (field, error) {
	name, _, split := strings.Cut(text[start:end], "=")
	middle := start + len(name)
	name, err := unescape(text, start, middle)
	if err != nil {
		return field{}, err
	}
	if !split {
		return field{name: name}, nil
	}
	value, err := unescape(text, middle+1, end)
	return field{name, value}, err
}

// unescape decodes a part of a form. Encoding is judged on what comes out,
// since a character may be sent partly escaped.
func unescape(text string, start, end int) (string, error) {
	plain := true
	for at := start; at < end; at++ {
		switch c := text[at]; {
		case c == '%' || c == '+':
			plain = false
		case c == 0:
			return "", fault(Encoding, at)
		case c < ' ' || c == 0x7F:
			return "", fault(Syntax, at)
		}
	}
	content := text[start:end]
	if !plain {
		decoded, err := decode(text, start, end)
		if err != nil {
			return "", err
		}
		content = decoded
	}
	if !utf8.ValidString(content) {
		return "", fault(Encoding, start)
	}
	return content, nil
}

func decode(text string, start, end int) (string, error) {
	var room [128]byte
	content := room[:0]
	for at := start; at < end; at++ {
		switch c := text[at]; c {
		case '+':
			content = append(content, ' ')
		case '%':
			c, err := percent(text, at)
			if err != nil {
				return "", err
			}
			content = append(content, c)
			at += 2
		default:
			content = append(content, c)
		}
	}
	return string(content), nil
}

// percent reads the escape at the percent sign; where its pair ends is no hexadecimal
// digit, so it stays within. NUL is refused for the reason
// given at parser.unicode.
func percent(text string, at int) (byte, error) {
	var c byte
	for i := at + 1; i <= at+2; i++ {
		if i == len(text) {
			return 0, fault(Truncated, i)
		}
		digit, ok := fromHex(text[i])
		if !ok {
			return 0, fault(Syntax, at)
		}
		c = c<<4 | digit
	}
	if c == 0 {
		return 0, fault(Encoding, at)
	}
	return c, nil
}
