//go:build linux || darwin

package sqlite

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeSpace is how many bytes this user may still write to the disk of dir.
func freeSpace(dir string) (n uint64, known bool) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, false
	}
	return fs.Bavail * uint64(fs.Bsize), true
}

// foreign reports whether a file belongs to another user than its directory, or the directory to another
// than the one who runs this program, unless that is root.
func foreign(file, dir os.FileInfo) bool {
	f, ok := file.Sys().(*syscall.Stat_t)
	d, too := dir.Sys().(*syscall.Stat_t)
	me := os.Geteuid()
	return ok && too && (f.Uid != d.Uid || me != 0 && int(d.Uid) != me)
}
