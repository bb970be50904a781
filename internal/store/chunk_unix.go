//go:build unix

package store

import "syscall"

// newChunk gives memory of the system's. Only what is written to takes room.
func newChunk(size int) ([]byte, error) {
	return syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

func freeChunk(chunk []byte) { _ = syscall.Munmap(chunk) } // what was mapped can be unmapped
