//go:build unix && !linux

package api

import "syscall"

// send writes to a socket what there is space for.
func send(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
