package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// modesCount says that the bits of a file's mode keep others out. Here the
// profile folder of its owner does.
const modesCount = false

// tryLock locks f, or returns errHeld.
func tryLock(f *os.File) error {
	// A byte far behind what is written, which others may go on reading.
	at := &windows.Overlapped{Offset: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return err
}

// syncDir has nothing to do: NTFS keeps the names in its journal, and lets nobody flush a directory.
func syncDir(string) error { return nil }
