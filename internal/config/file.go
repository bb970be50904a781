package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// file reads a YAML file. It walks the nodes itself, for their lines and
// because a key that is given twice or is not known must not pass.
func (l *loader) file(path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		l.wrong = append(l.wrong, fmt.Errorf("the configuration cannot be read: %w", err))
		return
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	f := &file{loader: l, path: path, lines: map[string]int{}}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // nothing but comments
		return
	case err != nil:
		l.note(path, err)
		return
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		f.note(&document, errors.New("a second document: one file has one"))
	}
	f.mapping("", document.Content[0])
}

type file struct {
	*loader
	path  string
	lines map[string]int // of the keys so far
}

func (f *file) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d", f.path, n.Line) }

func (f *file) note(n *yaml.Node, err error) { f.loader.note(f.at(n), err) }

func (f *file) mapping(group string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		f.note(n, fmt.Errorf("%smust be keys with values", label(group)))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := name.Value
		if group != "" {
			key = group + "." + key
		}
		s, exists := find(key)
		switch first, twice := f.lines[key]; {
		case name.Kind != yaml.ScalarNode || !exists && !isGroup(key) || group != "" && !exists:
			f.note(name, fmt.Errorf("there is no setting %q (`dargah config --example` prints all)", shown(key)))
			continue
		case twice:
			f.note(name, fmt.Errorf("%s: is given twice, first on line %d", key, first))
			continue
		}
		f.lines[key] = name.Line
		if !exists {
			f.mapping(key, value)
			continue
		}
		f.value(s, value)
	}
}

func (f *file) value(s setting, n *yaml.Node) {
	if s.kind == ways {
		f.operators(s, n)
		return
	}
	value, err := f.read(s, n)
	if err != nil {
		f.note(n, fmt.Errorf("%s: %w", s.key, err))
		return
	}
	f.set(s, f.at(n), value)
}

func (f *file) read(s setting, n *yaml.Node) (any, error) {
	words, err := scalars(n)
	if err != nil {
		return nil, err
	}
	if s.kind == place {
		for i, path := range words {
			words[i] = beside(f.path, path)
		}
	}
	return s.read(words)
}

// scalars are the words of one value or of a list. Anchors, aliases and tags
// make a file say something other than what it shows.
func scalars(n *yaml.Node) ([]string, error) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		return nil, errors.New("anchors, aliases and tags are not taken here; put a value that starts with &, * or ! in quotes")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, errors.New("has no value: give one, or leave the key out")
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, nil
	case n.Kind == yaml.SequenceNode:
		all := []string{}
		for _, item := range n.Content {
			one, err := scalars(item)
			if err != nil {
				return nil, err
			}
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("must be a list of plain values")
			}
			all = append(all, one...)
		}
		return all, nil
	default:
		return nil, errors.New("must be a plain value")
	}
}

func label(key string) string {
	if key == "" {
		return ""
	}
	return key + ": "
}

// shown is a key as it may be printed: a slip of indentation or quoting can
// make a key of a password.
func shown(key string) string {
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '_' && c != '-' {
			return "?"
		}
	}
	return key[:min(len(key), 40)]
}
