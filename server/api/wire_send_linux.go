package api

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// send writes to a socket what there is space for. It never waits, and so is not announced to Go's scheduler as what may:
// that would have a processor taken away and given back again and again while one goroutine writes to thousands.
func send(fd uintptr, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
