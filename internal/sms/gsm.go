package sms

// The default alphabet of GSM 03.38 (3GPP TS 23.038, 6.2.1), in the order of
// its codes. The capital cedilla at 9 is the table's, though phones show either.
const alphabet = "@£$¥èéùìòÇ\nØø\rÅå" +
	"Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" +
	" !\"#¤%&'()*+,-./" +
	"0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNO" +
	"PQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmno" +
	"pqrstuvwxyzäöñüà"

// escape before a septet takes it from the extension table; it is no character.
const escape = 0x1b

// extension is the table behind escape (6.2.1.1).
var extension = map[byte]rune{
	0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\',
	0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€',
}

// basic is alphabet by code.
var basic = [128]rune([]rune(alphabet))

// septets is the way back for all characters but the euro, which alone is above
// the Greek letters: how many septets in the upper byte, the last of them in the
// lower. 0 is for characters that the alphabet lacks.
var septets = func() (table [0x400]uint16) {
	for code, r := range basic {
		table[r] = 1<<8 | uint16(code)
	}
	for code, r := range extension {
		if r < 0x400 {
			table[r] = 2<<8 | uint16(code)
		}
	}
	table[escape] = 0
	return table
}()

// septet looks a character up; see septets.
func septet(r rune) uint16 {
	switch {
	case r < 0x400:
		return septets[r]
	case r == '€':
		return 2<<8 | 0x65
	}
	return 0
}

// septetsOf is how many septets a character of the alphabet takes.
func septetsOf(r rune) int { return int(septet(r) >> 8) }

func appendSeptets(out []byte, text string) []byte {
	for _, r := range text {
		code := septet(r)
		if code>>8 == 2 {
			out = append(out, escape)
		}
		out = append(out, byte(code))
	}
	return out
}

// appendFromSeptets reads what anybody may have sent. An escape before a code
// that the extension lacks is passed over, as the standard wants it for letters
// that a phone does not know; one with nothing to escape is a U+FFFD, and so is
// a byte that is no septet.
func appendFromSeptets(out []rune, data []byte) []rune {
	for i := 0; i < len(data); i++ {
		b := data[i]
		if b == escape && i+1 < len(data) && data[i+1] != escape && data[i+1] < 0x80 {
			i++
			r, extended := extension[data[i]]
			if !extended {
				r = basic[data[i]]
			}
			out = append(out, r)
			continue
		}
		if b == escape || b >= 0x80 {
			out = append(out, '\ufffd')
			continue
		}
		out = append(out, basic[b])
	}
	return out
}
