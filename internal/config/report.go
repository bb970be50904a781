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
		switch s.kind {
		case server:
			return URL(v).String()
		case secret:
			return Secret(v).String()
		}
	case time.Duration:
		return v.String()
	case []map[string]any:
		return printedOperators(v)
	}
	return value
}

func printedOperators(all []map[string]any) []map[string]any {
	shown := make([]map[string]any, 0, len(all))
	for _, o := range all {
		one := map[string]any{}
		for _, s := range operatorSettings {
			if value, given := o[s.key]; given && (s.kind != secret || o["passwordFile"] == nil) {
				one[s.key] = printed(s, value)
			}
		}
		shown = append(shown, one)
	}
	return shown
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
		if _, flat := line.Value.([]string); flat {
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
