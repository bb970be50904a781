package event_test

import (
	"os"
	"path/filepath"
	"testing"

	"dargah.dev/dargah/internal/event"
)

// A rotated log gets no half line, and no line is lost.
func TestReopenedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f, err := event.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := event.NewBuffer(f)
	write := func(line string) {
		t.Helper()
		if _, err := b.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	write("one\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("two\n")
	if err := b.Between(f.Reopen); err != nil {
		t.Fatal(err)
	}
	write("three\n")
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil { // it cannot be opened now
		t.Fatal(err)
	}
	if err := b.Between(f.Reopen); err == nil {
		t.Error("a folder was opened as a log")
	}
	write("four\n")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"log.1": "one\ntwo\n", "log.2": "three\nfour\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if info, err := os.Stat(path + ".1"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}
