package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"dargah.dev/dargah/internal/persian"
)

// Operator is a way out to the phones. What is left out has the default of its
// type.
type Operator struct {
	Name string `koanf:"name"`
	Type string `koanf:"type"` // smpp, also where empty
	// Lines are the senders whose messages may go this way, and Prefixes the
	// beginnings of the recipients' numbers, as 09…; none is any.
	Lines    []string `koanf:"lines"`
	Prefixes []string `koanf:"prefixes"`

	Address        string        `koanf:"address"`
	SystemID       string        `koanf:"systemId"`
	Password       Secret        `koanf:"password"`
	PasswordFile   string        `koanf:"passwordFile"` // read into Password
	SystemType     string        `koanf:"systemType"`
	Bind           string        `koanf:"bind"`
	Binds          int           `koanf:"binds"`
	Window         int           `koanf:"window"`
	PartsPerSecond int           `koanf:"partsPerSecond"`
	EnquireEvery   time.Duration `koanf:"enquireEvery"`
	ResponseWithin time.Duration `koanf:"responseWithin"`
	TLS            bool          `koanf:"tls"`
	TLSName        string        `koanf:"tlsName"`
	TLSFile        string        `koanf:"tlsFile"`
	TLSCertFile    string        `koanf:"tlsCertFile"`
	TLSKeyFile     string        `koanf:"tlsKeyFile"`
	Destination    string        `koanf:"destination"`
	DestinationTON *int          `koanf:"destinationTon"`
	DestinationNPI *int          `koanf:"destinationNpi"`
	SourceTON      *int          `koanf:"sourceTon"`
	SourceNPI      *int          `koanf:"sourceNpi"`
	Long           string        `koanf:"long"`
	Validity       string        `koanf:"validity"`
	Receipts       string        `koanf:"receipts"`
	Alphabet       string        `koanf:"alphabet"`
	Service        string        `koanf:"service"`
	Zone           string        `koanf:"zone"`
}

// Secret is a password. It prints itself without.
type Secret string

// String is a mask; nothing where there is no password.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks what %#v prints.
func (s Secret) GoString() string { return s.String() }

// MarshalText masks what JSON and the log print.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// operatorSettings is what can be said about an operator.
var operatorSettings = []setting{
	{"name", text}, {"type", text}, {"lines", list}, {"prefixes", list},
	{"address", text}, {"systemId", text}, {"password", secret}, {"passwordFile", place}, {"systemType", text},
	{"bind", text}, {"binds", number}, {"window", number}, {"partsPerSecond", number},
	{"enquireEvery", span}, {"responseWithin", span},
	{"tls", yes}, {"tlsName", text}, {"tlsFile", place}, {"tlsCertFile", place}, {"tlsKeyFile", place},
	{"destination", text}, {"destinationTon", number}, {"destinationNpi", number}, {"sourceTon", number}, {"sourceNpi", number},
	{"long", text}, {"validity", text}, {"receipts", text}, {"alphabet", text}, {"service", text}, {"zone", text},
}

// operators reads a list of mappings.
func (f *file) operators(s setting, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || n.Anchor != "" {
		f.note(n, fmt.Errorf("%s: must be a list of operators", s.key))
		return
	}
	all := make([]map[string]any, 0, len(n.Content))
	seen := map[string]bool{}
	for _, item := range n.Content {
		values := f.operator(s.key, item)
		name, _ := values["name"].(string)
		switch {
		case values == nil:
			continue
		case !isName(name):
			f.note(item, fmt.Errorf("%s: each needs a name of letters, digits and dashes, at most 32", s.key))
		case seen[name]:
			f.note(item, fmt.Errorf("%s: the name %s is given twice", s.key, name))
		}
		seen[name] = true
		all = append(all, values)
		f.wayLines = append(f.wayLines, f.at(item))
	}
	f.set(s, f.at(n), all)
}

func isName(name string) bool {
	return name != "" && len(name) <= 32 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}

// operator reads one; nil where it is none.
func (f *file) operator(group string, n *yaml.Node) map[string]any {
	if n.Kind != yaml.MappingNode || n.Anchor != "" {
		f.note(n, fmt.Errorf("%s: each must be keys with values", group))
		return nil
	}
	values := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(operatorSettings, func(s setting) bool { return s.key == name.Value })
		if at < 0 {
			f.note(name, fmt.Errorf("%s: there is no setting %q (`dargah config --example` prints all)", group, shown(name.Value)))
			continue
		}
		s := operatorSettings[at]
		if _, twice := values[s.key]; twice {
			f.note(name, fmt.Errorf("%s: %s is given twice", group, s.key))
			continue
		}
		read, err := f.read(s, value)
		if err != nil {
			f.note(value, fmt.Errorf("%s: %s: %w", group, s.key, err))
		}
		values[s.key] = read
	}
	if err := fill(values); err != nil {
		f.note(n, fmt.Errorf("%s: %w", group, err))
	}
	return values
}

// fill reads the password's file, and brings prefixes into the one form.
func fill(values map[string]any) error {
	var wrong []error
	if path, given := values["passwordFile"].(string); given {
		content, err := os.ReadFile(path)
		if _, both := values["password"]; both {
			err = errors.New("password and passwordFile: give one of them")
		}
		wrong = append(wrong, err)
		values["password"] = strings.TrimSpace(string(content))
	}
	prefixes, _ := values["prefixes"].([]string)
	for i, p := range prefixes {
		local := localPrefix(p)
		if local == "" {
			wrong = append(wrong, fmt.Errorf("prefixes: must be beginnings of mobile numbers, like 0912, is %q", p))
		}
		prefixes[i] = local
	}
	return errors.Join(wrong...)
}

// localPrefix is the beginning of a number as 09…; empty where it is none.
func localPrefix(p string) string {
	p = persian.Compact(p)
	for _, country := range []string{"+98", "0098", "98"} {
		if rest, ok := strings.CutPrefix(p, country); ok {
			p = rest
			break
		}
	}
	p = "0" + strings.TrimPrefix(p, "0")
	if len(p) < 2 || len(p) > 11 || p[1] != '9' || strings.Trim(p, "0123456789") != "" {
		return ""
	}
	return p
}

// Operator is the one with a name.
func (c Config) Operator(name string) (Operator, bool) {
	i := slices.IndexFunc(c.Operators, func(o Operator) bool { return o.Name == name })
	if i < 0 {
		return Operator{}, false
	}
	return c.Operators[i], true
}
