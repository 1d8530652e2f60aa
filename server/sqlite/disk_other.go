//go:build !(linux || darwin)

package sqlite

import "os"

// freeSpace is how many bytes this user may still write to the disk of dir.
func freeSpace(string) (n uint64, known bool) { return 0, false }

// foreign reports whether a file belongs to another user than its directory, or the directory to another
// than the one who runs this program, where that can be told.
func foreign(file, dir os.FileInfo) bool { return false }
