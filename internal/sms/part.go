package sms

import (
	"encoding/binary"
	"encoding/hex"
	"unicode/utf16"
)

// The alphabets that messages come in, besides GSM7 and UCS2, which alone we
// send in. Binary stands for every number that has no name here: no text at all.
const (
	ASCII  Coding = 1
	Latin1 Coding = 3
	Binary Coding = 4
)

// MaxParts is how many parts a message can have: the header of a part has one
// byte for their number. (Sabapayamak's code 30 speaks of 265, a slip that came
// with its upstream Magfa.) Split and Count do not mind; who sends does.
const MaxParts = 255

// The data of a message is 140 bytes: 160 septets, or 70 units of UTF-16. In
// one of several parts the header takes 6 bytes of them.
const (
	septetsAlone = 160
	septetsEach  = 153
	unitsAlone   = 70
	unitsEach    = 67
)

// Split cuts a text into the data of its parts, without headers: septets, one
// in a byte, where the alphabet of GSM has every character, else UTF-16, big
// endian. No part begins in the middle of a character. An empty text has one
// empty part. What is not UTF-8 becomes U+FFFD.
func Split(text string) (Coding, [][]byte) {
	coding, n := Count(text)
	if coding == GSM7 {
		data := appendSeptets(make([]byte, 0, len(text)+len(text)/8), text)
		return coding, cut(data, n, septetsAlone, septetsEach, func(last []byte) bool { return last[len(last)-1] == escape }, 1)
	}
	data := appendUnits(make([]byte, 0, 2*len(text)), text)
	return coding, cut(data, n, 2*unitsAlone, 2*unitsEach, func(last []byte) bool {
		return last[len(last)-2]&0xfc == 0xd8 // the first half of a pair of surrogates
	}, 2)
}

// cut makes n parts; half tells of a part whether it ends within a character,
// whose first half is as many bytes as back says.
func cut(data []byte, n, alone, each int, half func([]byte) bool, back int) [][]byte {
	parts := make([][]byte, 0, n)
	if len(data) <= alone {
		return append(parts, data)
	}
	for len(data) > each {
		end := each
		if half(data[:end]) {
			end -= back
		}
		parts = append(parts, data[:end:end])
		data = data[end:]
	}
	return append(parts, data)
}

// Count is the alphabet and the number of parts that Split would give.
func Count(text string) (Coding, int) {
	if n, escaped, ok := countSeptets(text); ok {
		return GSM7, parts(text, n, septetsAlone, septetsEach, escaped, septetsOf)
	}
	n, paired := countUnits(text)
	return UCS2, parts(text, n, unitsAlone, unitsEach, paired, utf16.RuneLen)
}

func countSeptets(text string) (n int, escaped, ok bool) {
	for _, r := range text {
		size := septetsOf(r)
		if size == 0 {
			return 0, false, false
		}
		n += size
		escaped = escaped || size > 1
	}
	return n, escaped, true
}

func countUnits(text string) (n int, paired bool) {
	for _, r := range text {
		n++
		if r > 0xffff {
			n++
			paired = true
		}
	}
	return n, paired
}

// parts is how many parts n units make; where the text has characters of two
// units, a part may have to leave its last one empty.
func parts(text string, n, alone, each int, wide bool, size func(rune) int) int {
	switch {
	case n <= alone:
		return 1
	case !wide:
		return (n + each - 1) / each
	}
	count, left := 1, each
	for _, r := range text {
		s := size(r)
		if s > left {
			count++
			left = each
		}
		left -= s
	}
	return count
}

func appendUnits(out []byte, text string) []byte {
	for _, r := range text {
		if r <= 0xffff {
			out = binary.BigEndian.AppendUint16(out, uint16(r))
			continue
		}
		high, low := utf16.EncodeRune(r)
		out = binary.BigEndian.AppendUint16(out, uint16(high))
		out = binary.BigEndian.AppendUint16(out, uint16(low))
	}
	return out
}

// Decode gives the text of one part's data, whatever it holds: what cannot be
// read is U+FFFD. Of what is no text it gives the bytes in hexadecimal, so that
// nothing is lost.
func Decode(c Coding, data []byte) string { return Join(c, [][]byte{data}) }

// Join is Decode of all parts in their order. It also mends a character that
// whoever sent it has cut in two.
func Join(c Coding, parts [][]byte) string {
	switch c {
	case GSM7:
		return string(appendFromSeptets(nil, join(parts)))
	case UCS2:
		return string(utf16.Decode(units(parts)))
	case ASCII:
		return single(join(parts), 0x7f)
	case Latin1:
		return single(join(parts), 0xff)
	default:
		return hex.EncodeToString(join(parts))
	}
}

func join(parts [][]byte) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// units reads the parts one by one, so that an odd byte spoils its own part and
// not all that follow.
func units(parts [][]byte) (all []uint16) {
	for _, p := range parts {
		for ; len(p) >= 2; p = p[2:] {
			all = append(all, binary.BigEndian.Uint16(p))
		}
		if len(p) == 1 {
			all = append(all, '\ufffd')
		}
	}
	return all
}

// single is for alphabets of one byte a character, the same as Unicode's first.
func single(data []byte, last byte) string {
	out := make([]rune, len(data))
	for i, b := range data {
		out[i] = rune(b)
		if b > last {
			out[i] = '\ufffd'
		}
	}
	return string(out)
}
