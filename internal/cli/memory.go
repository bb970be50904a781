package cli

import (
	"io/fs"
	"iter"
	"math"
	"os"
	slash "path"
	"runtime/debug"
	"strconv"
	"strings"
)

// tune makes the collector run less often while there is memory to spare: on
// the hot path it would be a large part of the work. When three quarters of the
// memory are taken it runs as often as it must; the rest is the system's, whose
// cache of the database's pages is worth more than ours. The environment wins.
func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory(os.DirFS("/")) / 4 * 3)
	}
}

// peopleMemory is how many bytes a copy of the register may take of what this
// process may use: two of them, while one is made anew, leave three quarters. 0
// where the system does not tell.
func peopleMemory() int64 {
	if all := memory(os.DirFS("/")); all != math.MaxInt64 {
		return all / 8
	}
	return 0
}

// memory is how many bytes this process may use: what the machine has, or what
// a container or service is given of it. Where the system does not tell there
// is no limit.
func memory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	for line := range linesOf(root, "proc/meminfo") {
		if total, found := strings.CutPrefix(line, "MemTotal:"); found {
			least = min(least, size(strings.TrimSuffix(total, "kB"), 1<<10))
		}
	}
	for line := range linesOf(root, "proc/self/cgroup") {
		fields := strings.SplitN(line, ":", 3) // number, controllers, group
		if len(fields) < 3 {
			continue
		}
		folder, name := "sys/fs/cgroup", "memory.max"
		switch {
		case fields[1] == "memory":
			folder, name = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case fields[1] != "":
			continue
		}
		// What the groups above are given bounds this one too.
		for group := slash.Clean("/" + fields[2]); ; group = slash.Dir(group) {
			for limit := range linesOf(root, slash.Join(folder, group, name)) {
				least = min(least, size(limit, 1)) // nothing after the last line is no limit
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}

// linesOf gives the lines of a file; none where it cannot be read.
func linesOf(root fs.FS, name string) iter.Seq[string] {
	text, _ := fs.ReadFile(root, name)
	return strings.SplitSeq(string(text), "\n")
}

// size reads a size; words such as max are no limit.
func size(text string, unit int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/unit {
		return math.MaxInt64
	}
	return n * unit
}
