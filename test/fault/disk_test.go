package fault_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestDiskFull is FLT-7: the data folder's disk is filled to the last byte under
// load, and freed.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := &site{binary: binary(t), dir: smallDisk(t)}
	s.fill(t, riches(4))
	must(t, s.diskFull(t))
}

// TestDiskFullControl: answers that leave though they could not be written down.
func TestDiskFullControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := &site{dir: smallDisk(t)}
	s.fill(t, riches(4))
	mustCatch(t, "LOST: call", s.lacking(t, "boastful").diskFull(t))
}

func (s *site) diskFull(t *testing.T) (problems []string) {
	t.Helper()
	n := s.start(t)
	l := pace(t, []string{n.address}, 10, 50*time.Millisecond)
	pause(t, time.Second)

	filler := filepath.Join(s.dir, "filler")
	filled := time.Now()
	fillUp(t, filler)
	n.until(t, "/readyz", http.StatusServiceUnavailable)
	full := time.Now()
	pause(t, sized(3*time.Second, 15*time.Second))
	if status, err := n.look(t.Context(), "/livez"); err != nil || status != http.StatusOK {
		problems = append(problems, fmt.Sprintf("/livez while the disk is full: %d, %v", status, err))
	}
	freed := time.Now()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	n.ready(t)
	pause(t, time.Second)
	l.stop()

	// What was answered meanwhile found room in space that SQLite had already;
	// the books tell whether that is so.
	during := l.between(full, freed)
	back := firstOK(l.between(freed, time.Time{})).Sub(freed)
	t.Logf("full after %v; %d of %d calls answered while it was; first success %v after it was freed",
		full.Sub(filled), succeeded(during), len(during), back)
	problems = append(problems, honest(l.between(time.Time{}, time.Time{}))...)
	if back < 0 || back > slack(5*time.Second) {
		problems = append(problems, fmt.Sprintf("the first success came %v after there was space again, promised are 5 s", back))
	}
	acks, unsettled := l.settleKeys(t, n.address)
	n.stop(t)
	return append(append(problems, unsettled...), s.audit(t, append(acks, l.acks()...))...)
}

// smallDisk is a folder on a disk of its own, of 24 MiB. It takes root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("a disk of its own takes root")
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", dir).CombinedOutput(); err != nil {
		lack(t, fmt.Errorf("mount a small disk: %w: %s", err, out))
	}
	// Lazily: a child that another test is just starting holds this process's files
	// until it has become its program.
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "--lazy", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// fillUp writes until nothing more can be written, again and again until it
// cannot even begin.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for chunk := make([]byte, size); ; {
			if _, err := f.Write(chunk); err != nil {
				break
			}
		}
	}
}
