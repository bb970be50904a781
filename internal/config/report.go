package config

import (
	"bytes"
	_ "embed" // the example
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Example is a file with every setting, its default and what it is for.
//
//go:embed example.yaml
var Example string

// Line is one setting in force.
type Line struct {
	Key   string `json:"key"`
	Value any    `json:"value"` // a string, number, bool or list of strings; passwords masked
	From  string `json:"from"`  // default, file:line, environment NAME, or flag --name
}

// Lines are all settings, in the order of the table.
func (l *Loaded) Lines() []Line {
	all := make([]Line, 0, len(settings))
	for _, s := range settings {
		from := defaultOrigin
		if given, ok := l.from[s.key]; ok {
			from = given
		}
		all = append(all, Line{Key: s.key, Value: printed(s, l.values[s.key]), From: from})
	}
	return all
}

func printed(s setting, value any) any {
	switch v := value.(type) {
	case URL:
		return v.String()
	case string:
		if s.kind == server {
			return URL(v).String()
		}
	case time.Duration:
		return v.String()
	}
	return value
}

// YAML is the settings as a file would say them, passwords masked, each with a
// comment that tells where it comes from.
func (l *Loaded) YAML() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	groups := map[string]*yaml.Node{}
	for _, line := range l.Lines() {
		value := &yaml.Node{}
		if err := value.Encode(line.Value); err != nil {
			return nil, fmt.Errorf("%s: %w", line.Key, err)
		}
		value.LineComment = line.From
		if value.Kind == yaml.SequenceNode {
			value.Style = yaml.FlowStyle
		}
		into, key := root, line.Key
		if group, name, grouped := strings.Cut(key, "."); grouped {
			if groups[group] == nil {
				groups[group] = &yaml.Node{Kind: yaml.MappingNode}
				root.Content = append(root.Content, word(group), groups[group])
			}
			into, key = groups[group], name
		}
		into.Content = append(into.Content, word(key), value)
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("print the settings: %w", err)
	}
	return b.Bytes(), nil
}

func word(key string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: key} }
