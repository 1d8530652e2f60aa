//go:build !linux

package sqlite

// remote reports whether dir is on a network drive, as far as that can be told.
func remote(string) bool { return false }
