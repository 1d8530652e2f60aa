package sqlite

import (
	"slices"

	"golang.org/x/sys/unix"
)

// remote reports whether dir is on a network drive, as far as that can be told. There locks
// and the shared memory of the write-ahead log do not hold what they promise.
func remote(dir string) bool {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return false // what is wrong with it shows when it is opened
	}
	return slices.Contains([]uint32{
		unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
	}, uint32(fs.Type))
}
