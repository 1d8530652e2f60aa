//go:build !linux

package main

import (
	"errors"
	"time"
)

var errLinux = errors.New("processor time and memory are measured on Linux only")

func processorTime(int) (time.Duration, error) { return 0, errLinux }
func residentKiB(int) (int64, error)           { return 0, errLinux }
func pinned(_ int, f func() error) error       { return f() }
func pinSelf(int) error                        { return nil }
func fileSystem(string) (string, error)        { return "", errLinux }
