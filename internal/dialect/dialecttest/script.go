package dialecttest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// script is a file of exchanges. Its text is kept as it stands, so that only
// what changed is rewritten.
type script struct {
	preamble string
	steps    []step
}

// step is one request and the reply that is expected.
type step struct {
	title   string
	request string // as in the file, placeholders unfilled
	status  int
	reply   string // headers, blank line, body
}

const (
	asking    = ">>>"
	answering = "<<<"
)

// parse reads a file's text.
func parse(text string) (*script, error) {
	preamble, rest := text, ""
	if at := section(text); at >= 0 {
		preamble, rest = text[:at], text[at:]
	}
	if line := firstNot(preamble, isComment); line != "" {
		return nil, fmt.Errorf("before the first section only comments may stand, not %q", line)
	}
	if strings.TrimSpace(preamble) == "" {
		return nil, errors.New("the file does not say where its exchange comes from: begin it with # lines")
	}
	s := &script{preamble: preamble}
	for rest != "" {
		one, left, err := readStep(rest)
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", len(s.steps)+1, err)
		}
		s.steps, rest = append(s.steps, one), left
	}
	if len(s.steps) == 0 {
		return nil, errors.New("no exchange in the file")
	}
	return s, nil
}

func readStep(text string) (one step, left string, err error) {
	mark, title, request, text := cut(text)
	if mark != asking {
		return step{}, "", errors.New("a reply without its request")
	}
	mark, code, reply, left := cut(text)
	if mark != answering {
		return step{}, "", fmt.Errorf("request %q has no reply", title)
	}
	status, err := strconv.Atoi(code)
	if err != nil || status < 100 || status > 599 {
		return step{}, "", fmt.Errorf("%q is no status: write <<< 200", code)
	}
	return step{title: title, request: request, status: status, reply: reply}, left, nil
}

// cut takes the first section off: its mark, what follows the mark on the
// line, and its text without the last line break.
func cut(text string) (mark, line, body, left string) {
	if len(text) < len(asking) {
		return "", "", "", ""
	}
	line, text, _ = strings.Cut(text, "\n")
	mark, line = line[:len(asking)], strings.TrimSpace(line[len(asking):])
	at := section(text)
	if at < 0 {
		at = len(text)
	}
	return mark, line, strings.TrimSuffix(text[:at], "\n"), text[at:]
}

// section is where the next section begins, or -1.
func section(text string) int {
	at := 0
	for line := range strings.Lines(text) {
		if bare := strings.TrimSuffix(line, "\n"); isMark(bare, asking) || isMark(bare, answering) {
			return at
		}
		at += len(line)
	}
	return -1
}

func isMark(line, mark string) bool {
	return line == mark || strings.HasPrefix(line, mark+" ")
}

func isComment(line string) bool { return line == "" || strings.HasPrefix(line, "#") }

func firstNot(text string, ok func(string) bool) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !ok(line) {
			return line
		}
	}
	return ""
}

// String is the file's text again.
func (s *script) String() string {
	var b strings.Builder
	b.WriteString(s.preamble)
	for _, one := range s.steps {
		b.WriteString(strings.TrimRight(asking+" "+one.title, " ") + "\n")
		b.WriteString(one.request + "\n")
		b.WriteString(answering + " " + strconv.Itoa(one.status) + "\n")
		if one.reply != "" {
			b.WriteString(one.reply + "\n")
		}
	}
	return b.String()
}

// headAndBody parts a message at its first blank line.
func headAndBody(text string) (head []string, body string) {
	if after, bodyOnly := strings.CutPrefix(text, "\n"); bodyOnly {
		return nil, after
	}
	top, body, _ := strings.Cut(text, "\n\n")
	if top == "" {
		return nil, body
	}
	return strings.Split(strings.TrimSuffix(top, "\n"), "\n"), body
}

// wire is the request as it goes over the connection.
func (s *step) wire(host string) []byte {
	head, body := headAndBody(s.request)
	if !hasHeader(head, "Host") {
		head = append(head, "Host: "+host)
	}
	if body != "" && !hasHeader(head, "Content-Length") && !hasHeader(head, "Transfer-Encoding") {
		head = append(head, "Content-Length: "+strconv.Itoa(len(body)))
	}
	return []byte(strings.Join(head, "\r\n") + "\r\n\r\n" + body)
}

func hasHeader(head []string, name string) bool {
	_, found := find(head, name)
	return found
}

func find(head []string, name string) (value string, found bool) {
	for _, line := range head[min(1, len(head)):] {
		if got, value, _ := strings.Cut(line, ":"); strings.EqualFold(got, name) {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// header is the value of one of the request's headers.
func (s *step) header(name string) string {
	head, _ := headAndBody(s.request)
	value, _ := find(head, name)
	return value
}

// method and path are those of the request line.
func (s *step) method() string { return s.word(0) }

func (s *step) path() string {
	path, _, _ := strings.Cut(s.word(1), "?")
	return path
}

func (s *step) word(i int) string {
	line, _, _ := strings.Cut(s.request, "\n")
	if words := strings.Fields(line); i < len(words) {
		return words[i]
	}
	return ""
}
