package dialecttest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// placeholder is what may stand in a file between doubled braces. Everything
// else between such braces is text, since JSON has braces of its own.
var placeholder = regexp.MustCompile(`\{\{(any|number|none|save [A-Z][A-Z0-9_]*|[A-Z][A-Z0-9_]*)\}\}`)

const none = "{{none}}"

// kept are the values that a file's earlier sections saved.
type kept map[string]string

func newKept(address string) kept {
	host := strings.TrimPrefix(address, "http://")
	later := time.Now().Add(time.Hour).Unix()
	return kept{"HOST": host, "ADDRESS": "http://" + host, "LATER": strconv.FormatInt(later, 10)}
}

// fill puts kept values into a request.
func (k kept) fill(text string) (string, error) {
	var unknown []string
	text = placeholder.ReplaceAllStringFunc(text, func(mark string) string {
		name := inner(mark)
		value, ok := k[name]
		if !ok {
			unknown = append(unknown, name)
		}
		return value
	})
	if unknown != nil {
		return "", fmt.Errorf("a request uses %s, which nothing has kept", strings.Join(unknown, ", "))
	}
	return text, nil
}

// match compares text with a pattern and keeps what it is told to keep.
func (k kept) match(pattern, text string) (bool, error) {
	expression, names, err := k.compile(pattern)
	if err != nil {
		return false, err
	}
	found := expression.FindStringSubmatch(text)
	if found == nil {
		return false, nil
	}
	for i, name := range names {
		k[name] = found[i+1]
	}
	return true, nil
}

func (k kept) compile(pattern string) (_ *regexp.Regexp, names []string, _ error) {
	var b strings.Builder
	at := 0
	for _, place := range placeholder.FindAllStringIndex(pattern, -1) {
		b.WriteString(regexp.QuoteMeta(pattern[at:place[0]]))
		at = place[1]
		name := inner(pattern[place[0]:place[1]])
		switch saved, isSave := strings.CutPrefix(name, "save "); {
		case name == "any":
			b.WriteString(`[^"]*`)
		case name == "number":
			b.WriteString(`-?[0-9]+(?:\.[0-9]+)?`)
		case isSave:
			b.WriteString(`([^"]*)`)
			names = append(names, saved)
		default:
			value, ok := k[name]
			if !ok {
				return nil, nil, fmt.Errorf("a reply uses %s, which nothing has kept", name)
			}
			b.WriteString(regexp.QuoteMeta(value))
		}
	}
	b.WriteString(regexp.QuoteMeta(pattern[at:]))
	expression, err := regexp.Compile(`\A(?:` + b.String() + `)\z`)
	return expression, names, err
}

func inner(mark string) string { return mark[len("{{") : len(mark)-len("}}")] }

// member is a JSON member whose value is a placeholder.
var member = regexp.MustCompile(`"([^"\\]+)"\s*:\s*"?(\{\{[^{}]+\}\})"?`)

// carry puts the placeholders of an old expectation into a new one, by the
// names of the members that hold them, in order.
func carry(old, fresh string) string {
	from := map[string]int{}
	for _, m := range member.FindAllStringSubmatch(old, -1) {
		name, mark := m[1], m[2]
		value := regexp.MustCompile(regexp.QuoteMeta(`"`+name+`"`) + `\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?[0-9][0-9.]*))`)
		place := value.FindStringSubmatchIndex(fresh[from[name]:])
		if place == nil {
			continue
		}
		start, end := place[2], place[3]
		if start < 0 {
			start, end = place[4], place[5]
		}
		start, end = start+from[name], end+from[name]
		fresh = fresh[:start] + mark + fresh[end:]
		from[name] = start + len(mark)
	}
	return fresh
}
