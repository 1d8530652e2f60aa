//go:build !linux

package api

import (
	"errors"
	"syscall"
)

// A readiness can not be had here: whoever waits for something to read needs a goroutine for it.
type readiness struct{}

func newReadiness() (*readiness, error) { return nil, errors.ErrUnsupported }

func (*readiness) run()                                          {}
func (*readiness) await(syscall.RawConn, func()) (uint64, error) { return 0, errors.ErrUnsupported }
func (*readiness) call(uint64)                                   {}
func (*readiness) close()                                        {}

func peek(syscall.RawConn) (bool, error) { return false, errors.ErrUnsupported }

func hearNow(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
