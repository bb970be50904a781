package operator

import (
	"math/big"
	"strings"
)

// Keys are the forms under which an id is to be looked for, since a message
// centre may spell it otherwise in a receipt than in its answer: first the id
// itself, in small letters and without zeros in front; then as hexadecimal what
// may be decimal, and as decimal what may be hexadecimal. Whoever stores an id
// stores the first.
func Keys(id string) []string {
	id = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(id)), "0x")
	if bare := strings.TrimLeft(id, "0"); bare != "" {
		id = bare
	} else if id != "" {
		id = "0"
	}
	keys := []string{id}
	// More digits than these no message centre counts to: it is a UUID without
	// its dashes, or the like.
	if len(id) == 0 || len(id) > 25 {
		return keys
	}
	for _, base := range [][2]int{{10, 16}, {16, 10}} {
		if n, ok := new(big.Int).SetString(id, base[0]); ok && n.Sign() >= 0 && isPlain(id) {
			if other := n.Text(base[1]); other != id {
				keys = append(keys, other)
			}
		}
	}
	return keys
}

// isPlain refuses what big.Int also takes: signs and underscores.
func isPlain(s string) bool { return !strings.ContainsAny(s, "+-_") }
