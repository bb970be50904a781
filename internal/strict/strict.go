// Package strict reads request bodies that have one meaning only: a JSON
// object or a form, taken whole or refused with the reason and the place.
//
// It exists because encoding/json is lenient where a gateway must not be: of
// two members with one name it takes the last, it matches names in any letter
// case (with Unicode folding, so that the Kelvin sign is a k), and it puts
// U+FFFD where the bytes are not UTF-8. What a proxy, a log or an upstream
// reads in such a body may then differ from what was checked and charged here.
//
// It owns bytes and their shape. How long a body may be, which names it must
// hold and what its values mean are the callers' business.
package strict

import "strconv"

// The limits that a zero field of Limits stands for.
const (
	defaultDepth = 32
	defaultKeys  = 256
	defaultItems = 1000
)

// Limits bound what a body may hold. A field that is zero or less takes its
// default. The depth is also the depth of the reader's own recursion: keep it
// in the hundreds.
type Limits struct {
	Depth int // objects and arrays inside each other, the outermost counted; default 32
	Keys  int // members of all objects of the document together, or fields of a form; default 256
	Items int // elements of all arrays of the document together; default 1000
}

func (l Limits) orDefault() Limits {
	if l.Depth <= 0 {
		l.Depth = defaultDepth
	}
	if l.Keys <= 0 {
		l.Keys = defaultKeys
	}
	if l.Items <= 0 {
		l.Items = defaultItems
	}
	return l
}

// Error says why and where the bytes are not a well-formed message. It never
// quotes them: a body holds passwords and personal data, an error goes to logs.
type Error struct {
	Kind   Kind
	Offset int // in bytes from the start of the body
}

// Error gives the reason and the offset.
func (e *Error) Error() string {
	return "body: " + e.Kind.String() + " at byte " + strconv.Itoa(e.Offset)
}

// Kind is the reason of an Error.
type Kind uint8

// The reasons for which a body is refused. All are given by the readers but
// WrongType, which is for the one who reads the values: see Value.WrongType.
const (
	Syntax    Kind = iota + 1 // a byte that the grammar does not allow there
	Truncated                 // the body ends too early; an empty JSON body too
	Duplicate                 // a member's name stands twice in one object
	Trailing                  // something but blanks after the object
	Encoding                  // invalid UTF-8, NUL (raw or escaped), a lone surrogate, a byte order mark
	TooDeep                   // beyond Limits.Depth
	TooMany                   // beyond Limits.Keys or Limits.Items, or a number of over 64 characters
	NotObject                 // JSON, but not an object
	WrongType                 // a value of another type than its reader wants
)

// String gives the reason in a few words.
func (k Kind) String() string {
	switch k {
	case Syntax:
		return "syntax error"
	case Truncated:
		return "unexpected end"
	case Duplicate:
		return "duplicate name"
	case Trailing:
		return "trailing data"
	case Encoding:
		return "bad character encoding"
	case TooDeep:
		return "nested too deep"
	case TooMany:
		return "too many parts"
	case NotObject:
		return "not an object"
	case WrongType:
		return "value of a wrong type"
	}
	return "fault " + strconv.Itoa(int(k))
}

func fault(k Kind, offset int) error {
	return &Error{Kind: k, Offset: offset}
}
