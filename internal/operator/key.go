package operator

import (
	"math/big"
	"strconv"
	"strings"
)

// Key is the form in which an id is stored: in small letters, and without zeros
// or a 0x in front.
func Key(id string) string {
	id = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(id)), "0x")
	if bare := strings.TrimLeft(id, "0"); bare != "" || id == "" {
		return bare
	}
	return "0"
}

// Keys are the forms under which an id is to be looked for, since a message
// centre may spell it otherwise in a receipt than in its answer: first its Key;
// then as hexadecimal what may be decimal, and as decimal what may be
// hexadecimal.
func Keys(id string) []string {
	id = Key(id)
	keys := []string{id}
	// More digits than these no message centre counts to: it is a UUID without
	// its dashes, or the like.
	if len(id) == 0 || len(id) > 25 || strings.ContainsAny(id, "+-_") { // which big.Int takes too
		return keys
	}
	for _, base := range [][2]int{{10, 16}, {16, 10}} {
		if other := spell(id, base[0], base[1]); other != "" && other != id {
			keys = append(keys, other)
		}
	}
	return keys
}

// spell writes a number in another base; nothing where it is none.
func spell(id string, from, to int) string {
	if n, err := strconv.ParseUint(id, from, 64); err == nil {
		return strconv.FormatUint(n, to)
	}
	n, ok := new(big.Int).SetString(id, from)
	if !ok {
		return ""
	}
	return n.Text(to)
}
