package api

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// tune bounds how long the kernel goes on for a peer that no longer answers: without
// it, a quarter of an hour.
func tune(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 45_000)
	})
}
