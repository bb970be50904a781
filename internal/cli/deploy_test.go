package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The unit is one that systemd takes, and starts commands that exist.
func TestUnit(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "dargah.service"))
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(text), "ExecStart=")
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	if !found || len(words) != 4 || words[0] != "/usr/local/bin/dargah" {
		t.Fatalf("it starts %q", line)
	}
	said(t, 1, []string{words[3]}, words[1:]...) // the file is not on this machine
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "dargah.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(text), words[0], self, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
