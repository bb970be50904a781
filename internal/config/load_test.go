package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/config"
)

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dargah.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheLaterSourceWins(t *testing.T) {
	t.Parallel()
	file := write(t, `
data: /file
node: file
lockout: 3
logLevel: warn
proxies: [10.0.0.0/8, 192.0.2.1]
drain: 1m
tls: {certificate: a.pem, key: /keys/b.pem}
limits:
  connections: 7
`)
	got, err := config.Load(config.Sources{
		File:    file,
		Environ: []string{"HOME=/x", "DARGAH_NODE=env", "DARGAH_LOCKOUT=4", "DARGAH_PROXIES= 127.0.0.1, ::1,", "DARGAH_REDIS=", "DARGAH_CONFIG=x", "DARGAH_LIMITS_CONNECTIONS_PER_ADDRESS=9"},
		Flags:   map[string][]string{"lockout": {"5"}, "listen": {"127.0.0.1:1", "[::1]:2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Data, want.Node, want.Lockout, want.LogLevel, want.Drain = "/file", "env", 5, "warn", time.Minute
	want.Proxies = []string{"127.0.0.1", "::1"}
	want.TLS = config.TLS{Certificate: filepath.Join(filepath.Dir(file), "a.pem"), Key: "/keys/b.pem"}
	want.Limits = config.Limits{ConnectionsPerAddress: 9, Connections: 7}
	want.Listen = []string{"127.0.0.1:1", "[::1]:2"}
	if diff := cmp.Diff(want, got.Config); diff != "" {
		t.Error(diff)
	}
	from := map[string]string{}
	for _, line := range got.Lines() {
		from[line.Key] = line.From
	}
	for key, want := range map[string]string{
		"data": file + ":2", "node": "environment DARGAH_NODE", "lockout": "flag --lockout", "redis": "default",
		"logLevel": file + ":5", "tls.key": file + ":8", "limits.connections": file + ":10", "listen": "flag --listen",
		"limits.connectionsPerAddress": "environment DARGAH_LIMITS_CONNECTIONS_PER_ADDRESS", "dataNames": "default",
	} {
		if from[key] != want {
			t.Errorf("%s is said to come from %q, not %q", key, from[key], want)
		}
	}
}

// A mistake in the name of the database's setting must not start an empty
// installation on SQLite.
func TestMistakesAreReportedTogetherWithTheirPlaces(t *testing.T) {
	t.Parallel()
	file := write(t, `databse: postgres://u:hunter2@h/d
database: mysql://u:hunter2@h/d
lockout: many
lockout: 3
tls: {certificate: a.pem, pem: x}
limits: 5
drain: 25
node:
insecureHttp: yes
data: ""
logLevel: [info, warn]
listen: ["127.0.0.1:80", nowhere]
proxies: *x
hunter2!: 1
`)
	_, err := config.Load(config.Sources{
		File:    file,
		Environ: []string{"DARGAH_DATABSE=x", "DARGAH_DRAIN=11m", "DARGAH_LOCKOUT=1.5", "DARGAH_REDIS_FILE=/nowhere/x", "DARGAH_PORT=tcp://10.0.0.1:1", "DARGAH_PORT_80_TCP_ADDR=x", "DARGAH_DB_SERVICE_HOST=x"},
		Flags:   map[string][]string{"public-url": {"x"}, "publicUrl": {"ftp://x"}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	// An alias without its anchor is no YAML at all, so that the file ends there.
	if !strings.Contains(err.Error(), "unknown anchor") {
		t.Errorf("the alias is not reported:\n%v", err)
	}
	content, _ := os.ReadFile(file)
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), "*x", "&x 10.0.0.0/8", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(config.Sources{
		File:    file,
		Environ: []string{"DARGAH_DATABSE=x", "DARGAH_DRAIN=11m", "DARGAH_LOCKOUT=1.5", "DARGAH_REDIS_FILE=/nowhere/x", "DARGAH_PORT=tcp://10.0.0.1:1", "DARGAH_PORT_80_TCP_ADDR=x", "DARGAH_DB_SERVICE_HOST=x"},
		Flags:   map[string][]string{"public-url": {"x"}, "publicUrl": {"ftp://x"}},
	})
	text := fmt.Sprint(err)
	for _, want := range []string{
		file + `:1: there is no setting "databse"`,
		file + ":2: database: must be a URL that begins with postgres://",
		file + `:3: lockout: must be a whole number, is "many"`,
		file + ":4: lockout: is given twice, first on line 3",
		file + `:5: there is no setting "tls.pem"`,
		file + ":5: tls: certificate and key are given together",
		file + ":6: limits: must be keys with values",
		file + `:7: drain: must be a time with its unit, like 25s or 2m, is "25"`,
		file + ":8: node: has no value",
		file + `:9: insecureHttp: must be true or false, is "yes"`,
		file + ":10: data: is empty",
		file + ":11: logLevel: must be one value",
		file + `:12: listen: must be an address and a port`,
		file + ":13: proxies: anchors",
		file + `:14: there is no setting "?"`,
		"environment DARGAH_DATABSE: there is no such setting",
		"environment DARGAH_DRAIN: drain: must be from 0s to 10m0s",
		`environment DARGAH_LOCKOUT: lockout: must be a whole number, is "1.5"`,
		"environment DARGAH_REDIS_FILE: open /nowhere/x",
		"flag --public-url: there is no such setting",
		`flag --public-url: publicUrl: must be like https://api.example.ir, is "ftp://x"`,
		"data: must be given",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	for _, unwanted := range []string{"hunter2", "DARGAH_PORT", "SERVICE_HOST"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%q is in:\n%s", unwanted, text)
		}
	}
}

func TestFilesThatAreNoMapping(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                      "data: must be given",
		"# nothing\n":           "data: must be given",
		"- data\n":              ":1: must be keys with values",
		"data: /x\n---\na: 1\n": "second document",
		"data: [\n":             "yaml: line",
	} {
		_, err := config.Load(config.Sources{File: write(t, content)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	if _, err := config.Load(config.Sources{File: "/nowhere/dargah.yaml"}); err == nil || !strings.Contains(err.Error(), "/nowhere/dargah.yaml") {
		t.Errorf("missing file: %v", err)
	}
}

// On PostgreSQL with a master key elsewhere nothing lies in a folder.
func TestDataFolderIsNeededWhereSomethingLiesInIt(t *testing.T) {
	t.Parallel()
	for want, environ := range map[bool][]string{
		true:  {"DARGAH_DATABASE=postgres://h/d", "DARGAH_MASTER_KEY=/k"},
		false: {"DARGAH_DATABASE=postgres://h/d"},
	} {
		if _, err := config.Load(config.Sources{Environ: environ}); (err == nil) != want {
			t.Errorf("%v: %v", environ, err)
		}
	}
}

func TestPasswordsAreMasked(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "database")
	if err := os.WriteFile(secret, []byte("postgres://u:hunter2@h/d?sslpassword=hunter3&sslmode=require\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(config.Sources{Environ: []string{"DARGAH_DATA=/x", "DARGAH_DATABASE_FILE=" + secret, "DARGAH_REDIS=redis://:hunter2@h:6379/0"}})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Database) != "postgres://u:hunter2@h/d?sslpassword=hunter3&sslmode=require" {
		t.Error("the password is not in the setting itself")
	}
	inJSON, err := json.Marshal(got.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", got.Config, got.Config, got.Config, got.Lines()), string(inJSON)} {
		if strings.Contains(text, "hunter") || !strings.Contains(text, "redis://:xxxxx@h:6379/0") {
			t.Errorf("not masked:\n%s", text)
		}
	}
	for text, want := range map[config.URL]string{
		"": "", "postgres://h/d": "postgres://h/d", "u:hunter2@h/d": "xxxxx", "://hunter2": "xxxxx", "host=h password=hunter2": "xxxxx",
		"postgres://h/d?password=hunter2": "postgres://h/d?password=xxxxx",
	} {
		if got := text.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The example says the default of each setting, and has all of them.
func TestExample(t *testing.T) {
	t.Parallel()
	defaults, err := config.Load(config.Sources{File: write(t, config.Example)})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Data, want.Proxies = "/var/lib/dargah", []string{}
	if diff := cmp.Diff(want, defaults.Config); diff != "" {
		t.Error(diff)
	}
	all := strings.ReplaceAll(config.Example, "\n#", "\n")
	var kept []string
	for line := range strings.Lines(all) {
		if key, _, found := strings.Cut(line, ":"); found && !strings.Contains(strings.TrimLeft(key, " "), " ") || strings.HasPrefix(line, "  - ") {
			kept = append(kept, line)
		}
	}
	full, err := config.Load(config.Sources{File: write(t, strings.Join(kept, ""))})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range full.Lines() {
		if line.From == "default" {
			t.Errorf("%s is not in the example", line.Key)
		}
	}
	deployed, err := os.ReadFile(filepath.Join("..", "..", "deploy", "dargah.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Example, string(deployed)); diff != "" {
		t.Errorf("deploy/dargah.example.yaml is another file than internal/config/example.yaml:\n%s", diff)
	}
}
