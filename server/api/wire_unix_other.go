//go:build unix && !linux

package api

import "syscall"

// tune has nothing to do: TCP's own patience decides.
func tune(syscall.RawConn) {}
