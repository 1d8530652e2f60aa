package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A lock is a file locked by this process. The system lets go of it when the process ends,
// however it ends.
type lock struct{ f *os.File }

func (l *lock) release() error { return l.f.Close() }

// errHeld says that another process has the lock.
var errHeld = errors.New("held by another process")

func openLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault("the lock of the data directory", err)
	}
	return &lock{f}, nil
}

// lockName is locked by the process that serves a data directory.
const lockName = "serve.lock"

// holdDir makes this process the only one that serves dir.
func holdDir(dir string) (*lock, error) {
	l, err := openLock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	switch err := tryLock(l.f); {
	case errors.Is(err, errHeld):
		who := "another parley"
		if b, err := io.ReadAll(io.LimitReader(l.f, 20)); err == nil {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
				who += fmt.Sprintf(" (process %d)", pid)
			}
		}
		err = fmt.Errorf("%s serves the data directory %s: stop it first, or choose another directory with --data", who, dir)
		return nil, errors.Join(err, l.release())
	case err != nil:
		err = fmt.Errorf("the data directory %s can not be locked; it has to be on a local disk: %w", dir, err)
		return nil, errors.Join(err, l.release())
	}
	// The number only helps a person to find the process; the lock is what counts.
	err = l.f.Truncate(0)
	if err == nil {
		_, err = l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fault("noting in the data directory who serves it", err), l.release())
	}
	return l, nil
}

// waitLock waits until no other process holds path.
func waitLock(ctx context.Context, path string) (*lock, error) {
	const patience = 60 * time.Second // to upgrade a large database takes a while
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l, err := openLock(path)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := tryLock(l.f)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, errHeld) {
			return nil, errors.Join(fmt.Errorf("locking %s; it has to be on a local disk: %w", path, err), l.release())
		}
		select {
		case <-ctx.Done():
			err = fmt.Errorf("another parley uses %s for too long; try again: %w", filepath.Dir(path), ctx.Err())
			return nil, errors.Join(err, l.release())
		case <-tick.C:
		}
	}
}

// makeDir makes dir, and the directories above it, where they are missing. What is made is flushed: SQLite
// does so for the files in dir, but a loss of power could take dir itself.
func makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil {
		return syncDir(filepath.Dir(dir))
	} else if !errors.Is(err, os.ErrNotExist) {
		return os.MkdirAll(dir, 0o700) // it is there, or says best why it can not be
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return makeDir(dir)
}

// closeDir makes sure that nobody but its owner can look into dir. A directory
// that plainly is for something else, as there is no file in it that would be ours, is left as
// it is, and refused.
func closeDir(dir, file string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("the directory: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 || !modesCount {
		return nil
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("the directory: %w", err)
		}
		if len(entries) > 0 {
			return fmt.Errorf("%s is open to other users and holds other files: choose another directory, or run chmod 700 on it if it is for parley alone", dir)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("%s is open to other users and can not be closed to them; run chmod 700 on it: %w", dir, err)
	}
	return nil
}
