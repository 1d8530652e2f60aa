//go:build !linux

package main

import (
	"context"
	"net"
)

type streams struct{}

func newStreams(*load) (*streams, error)   { return nil, errLinux }
func (*streams) add(net.Conn) error        { return errLinux }
func (*streams) run(context.Context) error { return errLinux }
func (*streams) close()                    {}
