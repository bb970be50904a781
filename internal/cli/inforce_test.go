package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/config"
)

func TestConfigPrintsWhatIsInForce(t *testing.T) {
	t.Parallel()
	path := file(t, "data: /data\ndatabase: postgres://u:hunter2@h/d\nproxies: [10.0.0.0/8]\nlimits: {connections: 5}\n")
	status, text := told(t, t.TempDir(), []string{"DARGAH_REDIS=redis://:hunter2@h", "DARGAH_CONFIG=" + path}, "config", "--drain", "3s", "--insecure-http", "--listen", "127.0.0.1:1")
	if status != 0 || strings.Contains(text, "hunter") {
		t.Errorf("status %d\n%s", status, text)
	}
	for _, want := range []string{
		"data: /data # " + path + ":1\n", "database: postgres://u:xxxxx@h/d # " + path + ":2\n", "proxies: [10.0.0.0/8] # " + path + ":3\n",
		"limits:\n  connectionsPerAddress: 200 # default\n  connections: 5 # " + path + ":4\n", "redis: redis://:xxxxx@h # environment DARGAH_REDIS\n",
		"drain: 3s # flag --drain\n", "insecureHttp: true # flag --insecure-http\n", "listen: ['127.0.0.1:1'] # flag --listen\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	var lines []config.Line
	if err := json.Unmarshal([]byte(said(t, 0, nil, "config", "--config", path, "--json")), &lines); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, l := range lines {
		found = found || l.Key == "database" && l.Value == "postgres://u:xxxxx@h/d" && l.From == path+":2"
	}
	if !found {
		t.Errorf("%v", lines)
	}
	said(t, 1, []string{"data: must be given"}, "config")
}

// What --example prints is a file that can be served.
func TestConfigExample(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "dargah.yaml")
	if err := os.WriteFile(path, []byte(said(t, 0, nil, "config", "--example")), 0o600); err != nil {
		t.Fatal(err)
	}
	n := serving(t, nil, "--config", path, "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0")
	n.end(t)
}

// Each flag reaches its setting under its own name.
func TestEveryFlagIsASetting(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"listen": "127.0.0.1:9", "publicUrl": "https://a.ir", "database": "postgres://h/d", "redis": "redis://h", "proxies": "10.0.0.0/8",
		"dataNames": "camel", "lockout": "3", "peopleMirror": "", "log": "/log", "logLevel": "warn", "drain": "9s", "node": "n", "insecureHttp": "",
		"limits.connections": "7", "limits.connectionsPerAddress": "8", "webhooks.allow": "10.20.0.0/16", "webhooks.insecureHttp": "", "data": "/d", "masterKey": "/m", "tls.certificate": "/c", "tls.key": "/k",
	}
	args := []string{"config", "--json"}
	for key, value := range values {
		flag := "--" + config.Flag(key)
		if value != "" {
			flag += "=" + value
		}
		args = append(args, flag)
	}
	var lines []config.Line
	if err := json.Unmarshal([]byte(said(t, 0, nil, args...)), &lines); err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.Key == "operators" {
			continue // a list of mappings is nothing for a flag
		}
		if l.From != "flag --"+config.Flag(l.Key) {
			t.Errorf("%s comes from %s", l.Key, l.From)
		}
	}
}
