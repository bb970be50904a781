// Package fault_test breaks a running Dargah and looks at what its callers and
// its books say afterwards: processes are killed, databases and networks fail,
// many callers want the same money. It owns what the real binary promises as a
// whole; every part's own promises are tested beside the part. The README
// lists the tests and, for each, the build without the guarantee that it
// catches.
package fault_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// scratch holds what all tests of the process share: the built binaries.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "dargah-fault-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	// Most of these tests wait for time to pass; two cores are enough for four.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(dir) // nobody is left to tell
	os.Exit(status)
}

// nightly asks for the sizes of a release; without it the tests are the same
// ones, smaller.
var nightly = os.Getenv("NIGHTLY") != ""

// sized gives one of two sizes.
func sized[T any](commit, night T) T {
	if nightly {
		return night
	}
	return commit
}

// patience bounds waits that no promise bounds: past it a test hangs.
const patience = time.Minute

// slack multiplies the times that promises name, since servers, load and the
// race detector share a machine here.
func slack(promised time.Duration) time.Duration {
	if raceDetector {
		return 4 * promised
	}
	return 2 * promised
}

// root is the repository.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
