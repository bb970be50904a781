package cli

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockState asks the kernel, which time services tell how they fare.
func clockState() (corrected bool, wrong time.Duration, known bool) {
	var t syscall.Timex // without modes: it only reads
	state, err := syscall.Adjtimex(&t)
	if err != nil {
		return false, 0, false
	}
	const failed, unsynchronized = 5, 0x40 // TIME_ERROR, STA_UNSYNC
	return state != failed && t.Status&unsynchronized == 0, time.Duration(t.Maxerror) * time.Microsecond, true
}

// memoryOf is the machine's, or the container's where that is less.
func memoryOf() (size int64, known bool) {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0, false
	}
	size = int64(info.Totalram) * int64(info.Unit)
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			size = min(size, limit)
		}
	}
	return size, true
}
