package strict

import (
	"strings"
	"unicode/utf8"
)

const (
	maxNumber     = 64 // characters of a number's literal: no field of ours is longer
	maxGuess      = 64 // nodes set aside before any is read, however many commas there are
	byteOrderMark = "\uFEFF"
)

// JSON reads one JSON object (RFC 8259) and nothing after it but blanks. Names
// are taken as written. The error is an *Error for the first fault in reading
// order.
func JSON(body []byte, l Limits) (Object, error) {
	return read(string(body), l, false)
}

// FoldJSON is JSON for dialects whose member names are taken in any letter
// case: members that differ only in the case of A to Z are duplicates.
func FoldJSON(body []byte, l Limits) (Object, error) {
	return read(string(body), l, true)
}

func read(text string, l Limits, fold bool) (Object, error) {
	p := parser{text: text, left: l.orDefault(), fold: fold, nodes: make([]node, 0, guess(text))}
	p.blanks()
	switch p.peek() {
	case '{':
	case '[', '"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 't', 'f', 'n':
		return Object{}, fault(NotObject, p.at)
	default:
		return Object{}, p.unexpected()
	}
	if err := p.object(""); err != nil {
		return Object{}, err
	}
	p.blanks()
	if p.at < len(p.text) {
		return Object{}, fault(Trailing, p.at)
	}
	return Object{nodes: p.nodes, fold: fold}, nil
}

// guess bounds the number of values from above, up to maxGuess: each is the
// first of its container or comes after a comma.
func guess(text string) int {
	return min(maxGuess, 1+strings.Count(text, ",")+strings.Count(text, "{")+strings.Count(text, "["))
}

// parser is a recursive descent over text. The body is made a string once, and
// what needs no unescaping is cut out of it.
type parser struct {
	text  string
	at    int
	left  Limits // what is still allowed
	fold  bool
	nodes []node
}

func (p *parser) object(name string) error {
	self, err := p.open(ObjectKind, name)
	if err != nil {
		return err
	}
	known := names{fold: p.fold}
	for first := true; ; first = false {
		done, err := p.next('}', first)
		if err != nil {
			return err
		}
		if done {
			p.shut(self)
			return nil
		}
		if err := p.member(&known); err != nil {
			return err
		}
	}
}

func (p *parser) member(known *names) error {
	start := p.at
	if p.peek() != '"' {
		return p.unexpected()
	}
	if p.left.Keys--; p.left.Keys < 0 {
		return fault(TooMany, start)
	}
	name, err := p.quoted()
	if err != nil {
		return err
	}
	if !known.add(name) {
		return fault(Duplicate, start)
	}
	p.blanks()
	if !p.take(':') {
		return p.unexpected()
	}
	p.blanks()
	return p.value(name)
}

func (p *parser) array(name string) error {
	self, err := p.open(Array, name)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		done, err := p.next(']', first)
		if err != nil {
			return err
		}
		if done {
			p.shut(self)
			return nil
		}
		if p.left.Items--; p.left.Items < 0 {
			return fault(TooMany, p.at)
		}
		if err := p.value(""); err != nil {
			return err
		}
	}
}

func (p *parser) value(name string) error {
	start := p.at
	switch c := p.peek(); c {
	case '{':
		return p.object(name)
	case '[':
		return p.array(name)
	case '"':
		text, err := p.quoted()
		p.add(String, name, text, start)
		return err
	case 't':
		return p.word(Bool, name, "true")
	case 'f':
		return p.word(Bool, name, "false")
	case 'n':
		return p.word(Null, name, "null")
	default:
		if c == '-' || isDigit(c) {
			return p.number(name)
		}
		return p.unexpected()
	}
}

// open begins a container at its bracket and gives its place among the nodes.
func (p *parser) open(kind ValueKind, name string) (int, error) {
	if p.left.Depth--; p.left.Depth < 0 {
		return 0, fault(TooDeep, p.at)
	}
	p.add(kind, name, "", p.at)
	p.at++
	return len(p.nodes) - 1, nil
}

func (p *parser) shut(self int) {
	p.nodes[self].size = len(p.nodes) - self
	p.left.Depth++
}

// next goes to the container's next part, or past its closing bracket.
func (p *parser) next(closing byte, first bool) (done bool, err error) {
	p.blanks()
	if p.take(closing) {
		return true, nil
	}
	if first {
		return false, nil
	}
	if !p.take(',') {
		return false, p.unexpected()
	}
	p.blanks()
	return false, nil
}

func (p *parser) word(kind ValueKind, name, word string) error {
	start := p.at
	for i := range len(word) {
		if !p.take(word[i]) {
			return p.unexpected()
		}
	}
	p.add(kind, name, word, start)
	return nil
}

func (p *parser) number(name string) error {
	start := p.at
	p.take('-')
	if !p.take('0') && !p.digits() {
		return p.unexpected()
	}
	if p.take('.') && !p.digits() {
		return p.unexpected()
	}
	if p.take('e') || p.take('E') {
		if !p.take('-') {
			p.take('+')
		}
		if !p.digits() {
			return p.unexpected()
		}
	}
	if p.at-start > maxNumber {
		return fault(TooMany, start)
	}
	p.add(Number, name, p.text[start:p.at], start)
	return nil
}

func (p *parser) digits() bool {
	start := p.at
	for isDigit(p.peek()) {
		p.at++
	}
	return p.at > start
}

func (p *parser) add(kind ValueKind, name, text string, offset int) {
	p.nodes = append(p.nodes, node{kind: kind, name: name, text: text, size: 1, offset: offset})
}

// peek gives the next byte, and 0 at the end; a real 0 is nowhere allowed, so
// both end in unexpected, which tells them apart.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) blanks() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// unexpected is the fault of what stands here, outside a string. A byte order
// mark, UTF-16 and other encodings show here first.
func (p *parser) unexpected() error {
	rest := p.text[p.at:]
	if rest == "" {
		return fault(Truncated, p.at)
	}
	r, size := utf8.DecodeRuneInString(rest)
	if rest[0] == 0 || r == utf8.RuneError && size == 1 || strings.HasPrefix(rest, byteOrderMark) {
		return fault(Encoding, p.at)
	}
	return fault(Syntax, p.at)
}

func isDigit(c byte) bool {
	return '0' <= c && c <= '9'
}
