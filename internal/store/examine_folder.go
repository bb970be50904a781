package store

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"dargah.dev/dargah/internal/finding"
)

const (
	leastSpace = 256 << 20 // below it a busy day may fill the disk
	someSpace  = 2 << 30
	slowFlush  = 30 * time.Millisecond // a group of calls waits for one
)

func examineFolder(l *finding.List, dir string) {
	info, err := os.Stat(dir)
	if err != nil {
		l.Bad("data folder", err.Error(), "give the folder of an installation")
		return
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		l.Warn("data folder", dir+" can be written by others than its owner, who could put other files in the place of ours", "chmod 700 "+dir)
	}
	if !examineDisk(l, dir) {
		examineFlush(l, dir)
	}
}

// disk is what the system tells of a folder's file system.
type disk struct {
	kind    string // its name where it is one of those that matter; or ""
	network bool
	memory  bool
	layer   bool // of a container
	free    int64
}

// examineDisk tells whether the folder lies in memory, where no flush makes
// anything durable.
func examineDisk(l *finding.List, dir string) (memory bool) {
	const about = "disk"
	d, known := diskOf(dir)
	if !known {
		return false
	}
	judgeDisk(l, dir, d, databaseSize(dir))
	if !d.network && !d.memory && !d.layer {
		l.Good(about, "%s free", bytesText(d.free))
	}
	return d.memory
}

func judgeDisk(l *finding.List, dir string, d disk, size int64) {
	const about = "disk"
	switch {
	case d.network:
		l.Bad(about, fmt.Sprintf("%s lies on a network file system (%s): SQLite's locks and flushes cannot be relied on there", dir, d.kind), "move the folder to a disk of this machine, or the installation to PostgreSQL (dargah move)")
	case d.memory:
		l.Bad(about, fmt.Sprintf("%s lies in memory (%s): a restart of the machine loses everything", dir, d.kind), "move the folder to a disk, unless it is a sandbox that nobody will miss")
	case d.layer:
		l.Warn(about, dir+" lies in the container's own layer, and goes with the container", "mount a volume there")
	}
	switch {
	case d.free < leastSpace:
		l.Bad(about, "only "+bytesText(d.free)+" are free", "make room: without it no call can be answered")
	case d.free < someSpace:
		l.Warn(about, "only "+bytesText(d.free)+" are free", "make room")
	case d.free < size:
		l.Warn(about, fmt.Sprintf("%s are free, and the database has %s: erasing writes it anew", bytesText(d.free), bytesText(size)), "make room before you erase old records")
	}
}

func databaseSize(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, databaseName))
	if err != nil {
		return 0
	}
	return info.Size()
}

// examineFlush measures what each group of calls waits for.
func examineFlush(l *finding.List, dir string) {
	const about = "flush"
	took, err := flush(dir)
	switch {
	case err != nil:
		l.Warn(about, fmt.Sprintf("cannot be measured: %v", err), "run the doctor as the user that serves")
	case took > slowFlush:
		l.Warn(about, fmt.Sprintf("the disk takes %s to make a write durable", took.Round(10*time.Microsecond)), "a call with nobody beside it waits that long: use a faster disk, best an SSD with protection against power loss")
	default:
		l.Good(about, "the disk makes a write durable in %s", took.Round(10*time.Microsecond))
	}
}

// flush is the median of a few.
func flush(dir string) (took time.Duration, err error) {
	f, err := os.CreateTemp(dir, "doctor-*.tmp")
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = f.Close(), os.Remove(f.Name()) }()
	var all []time.Duration
	page := make([]byte, 4096)
	for range 9 {
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := f.Sync(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
