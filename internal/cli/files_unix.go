//go:build unix

package cli

import "syscall"

// openFiles is how many files this process may have open; 0 where that is not
// known or bounded.
func openFiles() int {
	var limit syscall.Rlimit
	const unbounded = 1 << 30
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > unbounded {
		return 0
	}
	return int(limit.Cur)
}
