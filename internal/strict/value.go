package strict

import (
	"fmt"
	"io"
	"iter"
	"strconv"
)

// ValueKind is the JSON type of a Value.
type ValueKind uint8

// The types of a Value.
const (
	Absent     ValueKind = iota // there is no such member
	Null                        // null
	Bool                        // true or false
	Number                      // a number
	String                      // a string
	Array                       // an array
	ObjectKind                  // an object
)

// node is one value of a document. The values lie in one slice in reading
// order, each container before its content, so that a document costs one
// allocation and a part of it is a part of the slice.
type node struct {
	kind   ValueKind
	name   string // of the member, unescaped; empty for an element
	text   string // a string's content, a number's literal, true or false
	size   int    // nodes of this value, its content included
	offset int
}

// Object is a JSON object that was read whole. The zero Object has no members.
// Its strings share the memory of the whole body: clone those that outlive the
// call. It prints as its type only, since a body holds passwords.
type Object struct {
	nodes []node
	fold  bool
}

// Get gives the member's value, or one of kind Absent. After FoldJSON the name
// may be in any letter case, in nested objects too. It looks through the
// members one by one.
func (o Object) Get(name string) Value {
	for i := 1; i < len(o.nodes); {
		end := i + o.nodes[i].size
		if sameName(o.nodes[i].name, name, o.fold) {
			return Value{o.nodes[i:end:end], o.fold}
		}
		i = end
	}
	return Value{}
}

// Has reports whether the member is there; null is there.
func (o Object) Has(name string) bool {
	return o.Get(name).Kind() != Absent
}

// Len counts the members.
func (o Object) Len() int {
	return Value(o).count()
}

// Names gives the members' names in the order and letter case of the body.
func (o Object) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range o.All() {
			if !yield(name) {
				return
			}
		}
	}
}

// All gives the members in the order of the body.
func (o Object) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for v := range Value(o).parts() {
			if !yield(v.nodes[0].name, v) {
				return
			}
		}
	}
}

// Format keeps the content out of logs.
func (o Object) Format(f fmt.State, _ rune) {
	mask(f, "strict.Object")
}

// Value is a JSON value, or the lack of one. The zero Value is absent. It
// prints as its type only.
type Value struct {
	nodes []node
	fold  bool
}

// Kind gives the type.
func (v Value) Kind() ValueKind {
	if len(v.nodes) == 0 {
		return Absent
	}
	return v.nodes[0].kind
}

// String gives a string's content; false for any other type, numbers included.
func (v Value) String() (string, bool) {
	return v.textOf(String)
}

// Int gives an integer that is written as one and fits: 15, not 15.0, 1e2 or
// "15".
func (v Value) Int() (int64, bool) {
	literal, ok := v.textOf(Number)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(literal, 10, 64)
	return n, err == nil
}

// Number gives a number's literal as it was sent, at most 64 characters.
func (v Value) Number() (string, bool) {
	return v.textOf(Number)
}

// Bool gives true or false, and whether the value is one of these.
func (v Value) Bool() (value, ok bool) {
	text, ok := v.textOf(Bool)
	return text == "true", ok
}

// Object gives an object.
func (v Value) Object() (Object, bool) {
	if v.Kind() != ObjectKind {
		return Object{}, false
	}
	return Object(v), true
}

// Array gives an array's elements, in memory of their own on each call.
func (v Value) Array() ([]Value, bool) {
	if v.Kind() != Array {
		return nil, false
	}
	elements := make([]Value, 0, v.count())
	for e := range v.parts() {
		elements = append(elements, e)
	}
	return elements, true
}

// WrongType is the *Error of one who wants another type here. Of an absent
// value it gives offset 0.
func (v Value) WrongType() error {
	if len(v.nodes) == 0 {
		return fault(WrongType, 0)
	}
	return fault(WrongType, v.nodes[0].offset)
}

// Format keeps the content out of logs.
func (v Value) Format(f fmt.State, _ rune) {
	mask(f, "strict.Value")
}

func (v Value) textOf(kind ValueKind) (string, bool) {
	if v.Kind() != kind {
		return "", false
	}
	return v.nodes[0].text, true
}

func (v Value) count() int {
	n := 0
	for i := 1; i < len(v.nodes); i += v.nodes[i].size {
		n++
	}
	return n
}

func (v Value) parts() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for i := 1; i < len(v.nodes); {
			end := i + v.nodes[i].size
			if !yield(Value{v.nodes[i:end:end], v.fold}) {
				return
			}
			i = end
		}
	}
}

func mask(w io.Writer, typeName string) {
	// A fmt.State has nowhere to report a failed write to.
	_, _ = io.WriteString(w, typeName+"(masked)")
}
