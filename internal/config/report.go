package config

import (
	_ "embed" // the example
	"time"
)

// Example is a file with every setting, its default and what it is for.
//
//go:embed example.yaml
var Example string

// Line is one setting in force.
type Line struct {
	Key   string
	Value any    // a string, number, bool or list of strings; passwords masked
	From  string // default, file:line, environment NAME, or flag --name
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
