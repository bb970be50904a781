package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// setting is one name and what may be said for it.
type setting struct {
	key  string // as in the file; a dot stands for a mapping within it
	kind kind
}

type kind int

const (
	text   kind = iota
	place       // a file or folder: never empty, and beside the file that names it
	server      // a URL that may hold a password
	list        // texts
	number
	yes  // true or false
	span // a duration
	secret
	ways // operators: a list of mappings
)

// settings is everything that can be set, in the order in which it is shown.
var settings = []setting{
	{"listen", list},
	{"publicUrl", text},
	{"data", place},
	{"database", server},
	{"masterKey", place},
	{"redis", server},
	{"tls.certificate", place},
	{"tls.key", place},
	{"insecureHttp", yes},
	{"proxies", list},
	{"dataNames", text},
	{"lockout", number},
	{"peopleMirror", yes},
	{"log", place},
	{"logLevel", text},
	{"drain", span},
	{"node", text},
	{"limits.connectionsPerAddress", number},
	{"limits.connections", number},
	{"webhooks.allow", list},
	{"webhooks.insecureHttp", yes},
	{"operators", ways},
}

func find(key string) (setting, bool) {
	for _, s := range settings {
		if s.key == key {
			return s, true
		}
	}
	return setting{}, false
}

// isGroup tells whether the key is a mapping with settings in it.
func isGroup(key string) bool {
	for _, s := range settings {
		if strings.HasPrefix(s.key, key+".") {
			return true
		}
	}
	return false
}

// variable is the setting's name in the environment: tls.key is DARGAH_TLS_KEY.
func (s setting) variable() string {
	return prefix + strings.ToUpper(split(s.key, '_'))
}

// Flag is a setting's name as a flag, without its dashes: tls.key is tls-key.
func Flag(key string) string { return strings.ToLower(split(key, '-')) }

func split(key string, by byte) string {
	var b strings.Builder
	for _, c := range key {
		switch {
		case c == '.':
			b.WriteByte(by)
		case unicode.IsUpper(c):
			b.WriteByte(by)
			b.WriteRune(c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// read makes a value of what was said: one word, or those of a list. No
// message repeats the word of a server's address.
func (s setting) read(words []string) (any, error) {
	switch s.kind {
	case list:
		return words, nil
	case ways:
		return nil, errors.New("can be given in the file only")
	}
	if len(words) != 1 {
		return nil, errors.New("must be one value, not a list")
	}
	word := words[0]
	switch s.kind {
	case number:
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("must be a whole number, is %q", word)
		}
		return n, nil
	case yes:
		if word != "true" && word != "false" {
			return nil, fmt.Errorf("must be true or false, is %q", word)
		}
		return word == "true", nil
	case span:
		d, err := time.ParseDuration(word)
		if err != nil {
			return nil, fmt.Errorf("must be a time with its unit, like 25s or 2m, is %q", word)
		}
		return d, nil
	case place:
		if word == "" {
			return nil, errors.New("is empty: give a path, or leave it out")
		}
		return word, nil
	default:
		return word, nil
	}
}
