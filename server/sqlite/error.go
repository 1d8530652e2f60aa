package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"parley/app/chat"
)

// full reports whether a code of SQLite means that there is no space. The memory that its connections share
// is a file too, and can not grow then either.
func full(code int) bool {
	return code&0xff == lib.SQLITE_FULL || code == lib.SQLITE_IOERR_SHMSIZE
}

// broken reports whether after err the connection that writes may not be used any more: what it believes to be
// on the disk may not be there. After a flush that failed the system forgets what it was to write, and says that
// the next one succeeded.
func broken(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok || full(e.Code()) {
		return false
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_IOERR, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return true
	}
	return false
}

// noSpace reports whether a disk has no space left, whoever found out.
func noSpace(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && full(e.Code()) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// fault says what was being done when err came. What will pass by itself becomes a
// *chat.Error, so that it is not taken for damage.
func fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if noSpace(err) {
		full := chat.Errorf(chat.CodeStorageFull, "the server's storage is full; nothing was stored; try again when there is space")
		return fmt.Errorf("%s: %w: %w", doing, full, err)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff { // the rest says where
		case lib.SQLITE_IOERR:
			return fmt.Errorf("%s: the disk does not read or write as it should; look into the system's log, mend it, and start again: %w", doing, err)
		case lib.SQLITE_BUSY:
			busy := chat.Errorf(chat.CodeUnavailable, "another program keeps the database busy; nothing was stored; try again")
			return fmt.Errorf("%s: %w: %w", doing, busy, err)
		case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
			return fmt.Errorf("%s: the database is damaged; keep its files, and restore a backup into an empty data directory with \"parley restore\": %w", doing, err)
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
