//go:build !linux

package main

import "errors"

var errLinux = errors.New("this is measured on Linux only")

func pinned(_ int, f func() error) error { return f() }
func pinSelf(int) error                  { return nil }
func fileSystem(string) (string, error)  { return "", errLinux }
