//go:build !linux

package main

// send leaves everything to the connection's Write.
func send(uintptr, []byte) int { return 0 }
