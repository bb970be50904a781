//go:build !linux

package cli

import "time"

// clockState is not known.
func clockState() (corrected bool, wrong time.Duration, known bool) { return false, 0, false }

// memoryOf is not known.
func memoryOf() (size int64, known bool) { return 0, false }
