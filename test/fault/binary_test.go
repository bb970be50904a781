package fault_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// built are the binaries of this process, by the name of what they lack.
var built = struct {
	sync.Mutex
	paths map[string]string
}{paths: map[string]string{}}

// binary is the real program.
func binary(t testing.TB) string {
	t.Helper()
	return build(t, "dargah")
}

// build makes the program once per name, with the edits of that name, if there
// are any.
func build(t testing.TB, name string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if path := built.paths[name]; path != "" {
		return path
	}
	path := filepath.Join(scratch, name)
	args := []string{"build", "-buildvcs=false", "-o", path}
	if raceDetector {
		args = append(args, "-race")
	}
	if edits, some := lacks[name]; some {
		args = append(args, "-overlay", overlay(t, name, edits))
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	built.paths[name] = path
	return path
}

// overlay writes the edited files and the list that go build reads them by.
func overlay(t testing.TB, name string, edits []edit) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Replace": edited(t, name, edits)})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "overlay.json")
	write(t, list, string(text))
	return list
}

// edited writes the edited files, and gives where, by which files they replace.
func edited(t testing.TB, name string, edits []edit) map[string]string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, e := range edits {
		at := filepath.Join(root(t), filepath.FromSlash(e.file))
		from := at
		if edited, again := replace[at]; again {
			from = edited
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			t.Fatalf("%s: %s has %d times %q, want once: the red control must follow the code", name, e.file, n, e.old)
		}
		replace[at] = filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		write(t, replace[at], strings.Replace(string(text), e.old, e.new, 1))
	}
	return replace
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
