package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// backupBegin begins the name of every backup that Backup makes; then comes the time, so
// that the order of the names is that of the times.
const (
	backupBegin = "parley-"
	backupTime  = "20060102T150405.000Z"
)

// A Backup says what to copy, and where to.
type Backup struct {
	Data string // the data directory, served or not
	Dir  string // for backups; made when missing
	App  string // the version of this program
	Keep int    // remove all but so many of the newest; 0 keeps all
}

// Make copies the database at one moment into a new file in Dir, with a manifest beside it. The file has its name only when
// it is proven to be whole and is on disk. It returns the path, and how many older ones it removed.
func (b Backup) Make(ctx context.Context) (path string, m Manifest, gone int, err error) {
	file, err := dataFile(b.Data)
	if err != nil {
		return "", m, 0, err
	}
	lock, err := b.hold(ctx)
	if err != nil {
		return "", m, 0, err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	if err := sweep(b.Dir); err != nil {
		return "", m, 0, fmt.Errorf("removing what an interrupted backup left in %s: %w", b.Dir, err)
	}
	db, err := openFile(file, writing)
	if err != nil {
		return "", m, 0, fmt.Errorf("opening %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now := time.Now().UTC()
	path = filepath.Join(b.Dir, backupBegin+now.Format(backupTime)+backupEnd)
	m, err = keepCopy(ctx, db, path, Manifest{App: b.App, Made: now.Truncate(time.Millisecond)})
	if err != nil {
		return "", m, 0, b.plain(file, err)
	}
	if b.Keep > 0 {
		if gone, err = prune(b.Dir, backupBegin, b.Keep); err != nil {
			return path, m, gone, fmt.Errorf("the backup %s is made, but older ones can not be removed: %w", path, err)
		}
	}
	return path, m, gone, nil
}

// dataFile is the database of a data directory that is there.
func dataFile(dir string) (string, error) {
	file, err := filepath.Abs(filepath.Join(dir, dbName))
	if err != nil {
		return "", fmt.Errorf("the data directory: %w", err)
	}
	switch info, err := os.Stat(file); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), err == nil && !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a data directory of parley, as there is no %s in it: say with --data where the data is", dir, dbName)
	case err != nil:
		return "", fmt.Errorf("the data directory: %w", err)
	}
	return file, nil
}

// hold prepares the directory for backups, and waits until no other process makes one there.
func (b Backup) hold(ctx context.Context) (*lock, error) {
	if err := makeDir(b.Dir); err != nil {
		return nil, fmt.Errorf("the directory for backups can not be made; choose another one: %w", err)
	}
	data, err := os.Stat(b.Data)
	if err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	dir, err := os.Stat(b.Dir)
	if err != nil {
		return nil, fmt.Errorf("the directory for backups: %w", err)
	}
	if os.SameFile(data, dir) {
		return nil, fmt.Errorf("%s is the data directory itself: choose another directory for backups, at best on another disk", b.Dir)
	}
	name := filepath.Join(b.Dir, ".backup.lock")
	if err := closeDir(b.Dir, name); err != nil {
		return nil, err
	}
	return waitLock(ctx, name)
}

// plain says what a person can do about the usual troubles.
func (b Backup) plain(file string, err error) error {
	if noSpace(err) {
		return fmt.Errorf("there is not enough space in %s for a backup: free some, or choose a directory on another disk; nothing was kept: %w", b.Dir, err)
	}
	return fmt.Errorf("backing up %s: nothing was kept: %w", file, err)
}

// keepCopy copies the database that db has open to path, proves the copy, and writes its manifest, m with what
// is known only now. When it fails, nothing is left. The directory is the caller's alone meanwhile.
func keepCopy(ctx context.Context, db *sql.DB, path string, m Manifest) (_ Manifest, err error) {
	manifest := strings.TrimSuffix(path, backupEnd) + manifestEnd
	part := partOf(path)
	defer func() {
		if err != nil {
			err = errors.Join(err, removed(part), removed(part+"-journal"))
		}
	}()
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600) // SQLite takes a file that is empty
	if err != nil {
		return m, err
	}
	defer f.Close() // again, unless something failed
	if m.Facts, err = copyTo(ctx, db, part); err != nil {
		return m, err
	}
	m.File = filepath.Base(path)
	if m.Size, m.SHA256, err = summed(part, io.Discard); err != nil {
		return m, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return m, err
	}
	// The manifest comes first, so that what has the name of a backup is one.
	if err := m.write(manifest); err != nil {
		return m, err
	}
	err = os.Rename(part, path)
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return m, errors.Join(err, removed(path), removed(manifest))
	}
	return m, nil
}

// copyTo copies the database at one moment to a file that is empty, checks the copy, and holds it against the source.
func copyTo(ctx context.Context, db *sql.DB, to string) (Facts, error) {
	before, err := factsOf(ctx, db)
	if err != nil {
		return before, err
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, to); err != nil {
		return before, err
	}
	after, err := factsOf(ctx, db)
	if err != nil {
		return before, err
	}
	got, err := prove(ctx, to)
	if err != nil {
		return got, err
	}
	// Positions are given one by one, and an event stays: what the copy has more than there was
	// before are as many events as positions.
	if got.Epoch != before.Epoch || got.Epoch != after.Epoch ||
		got.Schema < before.Schema || got.Schema > after.Schema ||
		got.Head < before.Head || got.Head > after.Head ||
		got.Events-before.Events != got.Head-before.Head {
		return got, fmt.Errorf("the copy holds %v, but the database held %v before and %v afterwards: try again, and if it happens again check the disk", got, before, after)
	}
	return got, nil
}

// Backups lists the backups in a directory, the newest last, by their names alone.
func Backups(dir string) ([]string, error) { return listed(dir, backupBegin) }

func listed(dir, begin string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries { // in order
		if strings.HasPrefix(e.Name(), begin) && strings.HasSuffix(e.Name(), backupEnd) {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found, nil
}

// prune removes all backups but the newest, with their manifests, and returns how many.
func prune(dir, begin string, keep int) (gone int, err error) {
	all, err := listed(dir, begin)
	if err != nil {
		return 0, err
	}
	for _, path := range all[:max(0, len(all)-keep)] {
		if err := errors.Join(removed(path), removed(strings.TrimSuffix(path, backupEnd)+manifestEnd)); err != nil {
			return gone, err
		}
		gone++
	}
	return gone, nil
}

// sweep removes what a backup that was killed left: parts, and a manifest without its backup.
func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	there := func(name string) bool {
		return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name })
	}
	for _, e := range entries {
		name := e.Name()
		part := strings.HasPrefix(name, "."+backupBegin) && strings.Contains(name, ".part")
		stem, manifest := strings.CutSuffix(name, manifestEnd)
		alone := manifest && strings.HasPrefix(name, backupBegin) && !there(stem+backupEnd)
		if part || alone {
			if err := removed(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
