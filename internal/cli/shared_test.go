package cli

import (
	"path/filepath"
	"testing"

	"dargah.dev/dargah/internal/throwaway"
)

// Nodes on one PostgreSQL share its installation and its key; one without the
// key does not start, and neither says the password.
func TestNodesOnOneDatabase(t *testing.T) {
	t.Parallel()
	database := throwaway.Database(t)
	environ := []string{"DARGAH_DATABASE=" + database}
	data := filepath.Join(t.TempDir(), "data")
	one := serving(t, environ, "--data", data, "--listen", "127.0.0.1:0")
	if !one.MasterKeyMade || one.Accounts != 0 {
		t.Errorf("%+v", one.announcement)
	}
	two := serving(t, environ, "--master-key", filepath.Join(data, "master.key"), "--listen", "127.0.0.1:0")
	if two.MasterKeyMade {
		t.Errorf("%+v", two.announcement)
	}
	if status, text := told(t, t.TempDir(), environ, "serve", "--data", filepath.Join(t.TempDir(), "other"), "--listen", "127.0.0.1:0"); status != 1 {
		t.Errorf("without the key: status %d\n%s", status, text)
	}
	config := file(t, "data: %s\n", data)
	if status, text := told(t, t.TempDir(), environ, "audit", "verify", "--config", config); status != 0 {
		t.Errorf("beside the nodes: status %d\n%s", status, text)
	}
	one.end(t)
	two.end(t)
}
