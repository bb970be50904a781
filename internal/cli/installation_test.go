package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// told runs a command with variables of its environment, in the folder dir.
func told(t *testing.T, dir string, environ []string, args ...string) (status int, text string) {
	t.Helper()
	cmd := command(t, args...)
	var both bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(cmd.Env, environ...), &both, &both
	_ = cmd.Run() // its status is the answer
	return cmd.ProcessState.ExitCode(), both.String()
}

// An installation is named by its folder, by a file or by the environment, and
// is the same one wherever the command is run.
func TestWaysToNameAnInstallation(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	data := filepath.Join(home, "data")
	stop(t, inquired(t, data, 1))
	file := filepath.Join(home, "dargah.yaml")
	if err := os.WriteFile(file, []byte("data: data\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(home, "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("data: data\ndatabse: x\nlockout: -1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for name, c := range map[string]struct {
		status  int
		environ []string
		args    []string
		want    string
	}{
		"folder":                {0, nil, []string{"--data", data}, "records, all as they were written"},
		"file":                  {0, nil, []string{"--config", file}, "records, all as they were written"},
		"variable":              {0, []string{"DARGAH_CONFIG=" + file}, nil, "records, all as they were written"},
		"environment alone":     {0, []string{"DARGAH_DATA=" + data}, nil, "records, all as they were written"},
		"environment over file": {1, []string{"DARGAH_DATA=" + elsewhere}, []string{"--config", file}, "no Dargah database"},
		"folder alone counts":   {0, []string{"DARGAH_CONFIG=" + wrong, "DARGAH_DATA=" + elsewhere}, []string{"--data", data}, "records, all as they were written"},
		"flag over variable":    {0, []string{"DARGAH_CONFIG=" + wrong}, []string{"--config", file}, "records, all as they were written"},
		"nothing":               {2, nil, nil, "--config FILE"},
		"both":                  {2, nil, []string{"--data", data, "--config", file}, "--config"},
		"empty":                 {2, nil, []string{"--config", ""}, "is empty"},
		"no file":               {1, nil, []string{"--config", file + "x"}, "cannot be read"},
		"mistakes":              {1, nil, []string{"--config", wrong}, wrong + `:2: there is no setting "databse"`},
		"all mistakes":          {1, nil, []string{"--config", wrong}, wrong + ":3: lockout: must be 0 or more"},
		"mistyped variable":     {1, []string{"DARGAH_DATABSE=x"}, []string{"--config", file}, "DARGAH_DATABSE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, text := told(t, elsewhere, c.environ, append([]string{"audit", "verify"}, c.args...)...)
			if status != c.status || !strings.Contains(text, c.want) || strings.Contains(text, "goroutine") {
				t.Errorf("status %d, want %d with %q:\n%s", status, c.status, c.want, text)
			}
		})
	}
}
