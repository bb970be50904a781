package sms

import (
	"strings"

	"dargah.dev/dargah/internal/persian"
)

// optOuts are the words by which a phone asks for no more messages of a line, as
// persian.Key has them. لغو, and لغو11, are what is printed under advertising in
// Iran; off and stop, and those after it, are the GSMA's and the CTIA's. The list
// is ours: no provider has published one.
var optOuts = keysOf("لغو", "لغو 11", "لغو عضویت", "لغو پیامک", "انصراف", "off", "off 11", "stop", "stop all", "unsubscribe", "cancel", "end", "quit")

func keysOf(words ...string) map[string]struct{} {
	keys := make(map[string]struct{}, len(words))
	for _, w := range words {
		keys[persian.Key(w)] = struct{}{}
	}
	return keys
}

// OptsOut tells whether a message from a phone says that it wants no more
// messages of the line: such a word and nothing else, in any spelling. A text
// that has more to say may mean something else.
func OptsOut(text string) bool {
	const longest = 64 // bytes
	if len(text) > longest {
		return false
	}
	_, is := optOuts[persian.Key(strings.Trim(text, " .!؟?«»\"'*\r\n\t"))]
	return is
}
