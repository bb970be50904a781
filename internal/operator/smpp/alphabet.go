package smpp

import (
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// latin is the GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1) in Latin-1;
// 0 for what Latin-1 lacks.
var latin = [128]byte{
	'@', 0xa3, '$', 0xa5, 0xe8, 0xe9, 0xf9, 0xec, 0xf2, 0xc7, '\n', 0xd8, 0xf8, '\r', 0xc5, 0xe5,
	0, '_', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc6, 0xe6, 0xdf, 0xc9,
	' ', '!', '"', '#', 0xa4, '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	0xa1, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 0xc4, 0xd6, 0xd1, 0xdc, 0xa7,
	0xbf, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0xe4, 0xf6, 0xf1, 0xfc, 0xe0,
}

// latinEscaped is its extension, after an escape.
var latinEscaped = map[byte]byte{
	0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|',
}

const escape = 0x1b

// toLatin1 rewrites septets for a message centre that takes data_coding 0 for
// Latin-1. What Latin-1 lacks, the Greek capitals and the euro sign, cannot go
// this way, and may go by another operator.
func toLatin1(septets []byte) ([]byte, error) {
	text := make([]byte, 0, len(septets))
	escaped := false
	for _, c := range septets {
		if c == escape && !escaped {
			escaped = true
			continue
		}
		to := latin[c&0x7f]
		if escaped {
			to = latinEscaped[c]
			escaped = false
		}
		if to == 0 {
			return nil, errLatin1
		}
		text = append(text, to)
	}
	if escaped {
		return nil, errLatin1
	}
	return text, nil
}

// errLatin1 is what a message centre says to a text that it cannot take.
var errLatin1 error = &operator.Rejected{Status: uint32(pdu.InvalidLength), Temporary: true}
