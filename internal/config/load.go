package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

const (
	prefix = "DARGAH_"
	// FileVariable names the file where no flag does.
	FileVariable = prefix + "CONFIG"
	// fromFile after the name of a variable: its value is the path of a file
	// that holds it, as container engines and systemd hand out secrets.
	fromFile = "_FILE"
)

// Sources are where settings come from, the later winning over the earlier.
type Sources struct {
	File    string              // YAML; empty for none
	Environ []string            // NAME=value, as os.Environ gives it
	Flags   map[string][]string // by the setting's key: one word, or those of a list
	// Operator tells what is wrong with one, in the words of its type; nil: no
	// more is asked than that its settings are known.
	Operator func(Operator) error
}

// Loaded is what is in force, and where each of it comes from.
type Loaded struct {
	Config
	from   map[string]string // by key, but for defaults
	values map[string]any    // by key
}

// Load reads the settings. Every mistake of every source is reported, each
// with its file and line, variable or flag. A list of an earlier source is
// replaced, not added to.
func Load(from Sources) (*Loaded, error) {
	l := &loader{merged: koanf.New("."), loaded: &Loaded{from: map[string]string{}}, operator: from.Operator}
	if err := l.merged.Load(structs.Provider(Default(), "koanf"), nil); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if from.File != "" {
		l.file(from.File)
	}
	l.environment(from.Environ)
	l.flags(from.Flags)
	if err := l.end(); err != nil {
		return nil, err
	}
	return l.loaded, nil
}

type loader struct {
	merged   *koanf.Koanf
	loaded   *Loaded
	wrong    []error
	operator func(Operator) error
	wayLines []string // where each operator is said
}

// put sets one value, or notes why it cannot be.
func (l *loader) put(s setting, from string, words []string) {
	value, err := s.read(words)
	if err != nil {
		l.note(from, fmt.Errorf("%s: %w", s.key, err))
		return
	}
	l.set(s, from, value)
}

func (l *loader) set(s setting, from string, value any) {
	if err := l.merged.Load(confmap.Provider(map[string]any{s.key: value}, "."), nil); err != nil {
		l.note(from, fmt.Errorf("%s: %w", s.key, err))
		return
	}
	l.loaded.from[s.key] = from
}

func (l *loader) note(from string, err error) {
	l.wrong = append(l.wrong, fmt.Errorf("%s: %w", from, err))
}

func (l *loader) environment(environ []string) {
	known := map[string]setting{}
	for _, s := range settings {
		known[s.variable()] = s
	}
	values := variables(environ)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		s, exists := known[name]
		inFile, isFile := known[strings.TrimSuffix(name, fromFile)]
		switch {
		case exists && value == "": // ${UNSET} in a script or a compose file
		case exists:
			l.put(s, "environment "+name, words(s, value))
		case isFile && inFile.kind == server:
			l.secret(inFile, name, value)
		case name != FileVariable && !foreign.MatchString(name):
			l.note("environment "+name, errors.New("there is no such setting (`dargah config` shows all)"))
		}
	}
}

// foreign are variables that Kubernetes makes in every container of a
// namespace for a service called dargah or dargah-something.
var foreign = regexp.MustCompile(`_SERVICE_(HOST|PORT)|_PORT$|_PORT_[0-9]+_`)

func variables(environ []string) map[string]string {
	ours := map[string]string{}
	for _, line := range environ {
		if name, value, _ := strings.Cut(line, "="); strings.HasPrefix(name, prefix) {
			ours[name] = value
		}
	}
	return ours
}

func (l *loader) secret(s setting, name, path string) {
	if path == "" {
		return
	}
	from := "environment " + name
	value, err := os.ReadFile(path)
	if err != nil {
		l.note(from, err)
		return
	}
	l.put(s, from, []string{strings.TrimSpace(string(value))})
}

// words of a variable: a list has commas.
func words(s setting, value string) []string {
	if s.kind != list {
		return []string{value}
	}
	var all []string
	for word := range strings.SplitSeq(value, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

func (l *loader) flags(flags map[string][]string) {
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		s, exists := find(key)
		if !exists {
			l.note("flag --"+Flag(key), errors.New("there is no such setting"))
			continue
		}
		l.put(s, "flag --"+Flag(key), flags[key])
	}
}

// end makes the whole of what was put, and checks it.
func (l *loader) end() error {
	c := &l.loaded.Config
	err := l.merged.UnmarshalWithConf("", c, koanf.UnmarshalConf{
		DecoderConfig: &mapstructure.DecoderConfig{Result: c, TagName: "koanf", ErrorUnused: true},
	})
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	l.loaded.values = l.merged.All()
	if len(c.Operators) == 0 {
		c.Operators = nil
	}
	for i, o := range c.Operators {
		if l.operator == nil {
			break
		}
		if err := l.operator(o); err != nil {
			l.note(l.wayLines[i], fmt.Errorf("operators: %s: %w", o.Name, err))
		}
	}
	faults := c.faults()
	if c.Data == "" && (c.Database == "" || c.MasterKey == "") {
		faults.note("data", "must be given: the folder that holds the master key and, on SQLite, the database")
	}
	for _, f := range faults {
		if from := l.loaded.origin(f.Key); from != defaultOrigin {
			l.note(from, f)
			continue
		}
		l.wrong = append(l.wrong, f)
	}
	return errors.Join(l.wrong...)
}

const defaultOrigin = "default"

// origin is where a setting comes from; for a group, one of its settings.
func (l *Loaded) origin(key string) string {
	if from, given := l.from[key]; given {
		return from
	}
	for _, s := range settings {
		if from, given := l.from[s.key]; given && strings.HasPrefix(s.key, key+".") {
			return from
		}
	}
	return defaultOrigin
}

// beside resolves a path that a file names against the file's folder, so that
// it means the same to every command, wherever it is run.
func beside(file, path string) string {
	if path == "" || path == "-" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}
