//go:build !unix

package api

import "net"

// newSocket returns nil: here, streams block, each in its own goroutine.
func newSocket(*net.TCPConn, bool, *readiness) wire { return nil }
