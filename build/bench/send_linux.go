package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// send writes to a socket what there is space for, in the least that Go can do for it: it never waits, and so is not announced
// to Go's scheduler. parley's server writes so too, by a call of its own: what it is held against shares nothing with it.
func send(fd uintptr, p []byte) int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}
