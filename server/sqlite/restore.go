package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Restore says which backup is to become a data directory.
type Restore struct {
	Backup  string // the file
	Data    string // the new data directory: missing, or empty
	SignOut bool   // end all sessions, and revoke all tokens
}

// restoringName is the database while it is being restored. A directory with this file is not a
// data directory yet.
const restoringName = "restoring.db"

// Make verifies the backup, copies it, and gives the log a new epoch, so that no cursor from
// before is good for it: positions after the backup may stand for other events now. When it fails, the directory is as empty as
// it was.
func (r Restore) Make(ctx context.Context) (_ Manifest, err error) {
	m, err := r.manifest()
	if err != nil {
		return m, err
	}
	known, err := knows()
	if err != nil {
		return m, err
	}
	if m.Schema > known {
		return m, errNewer(r.Backup, m.Schema, known)
	}
	if r.Data, err = filepath.Abs(r.Data); err != nil {
		return m, fmt.Errorf("the data directory: %w", err)
	}
	made, err := r.prepare()
	if err != nil {
		return m, err
	}
	lock, err := holdDir(r.Data)
	if err == nil {
		err = errors.Join(r.fill(ctx, m), lock.release())
	} else if other, herr := held(filepath.Join(r.Data, lockName)); other || herr != nil {
		return m, err // someone has just begun here: what is in it is theirs
	}
	if noSpace(err) {
		err = fmt.Errorf("there is not enough space in %s for the backup, which has %d bytes: free some, or choose a directory on another disk; nothing was kept: %w", r.Data, m.Size, err)
	}
	if err != nil {
		return m, errors.Join(err, r.undo(made))
	}
	return m, nil
}

func (r Restore) manifest() (m Manifest, err error) {
	switch info, err := os.Stat(r.Backup); {
	case errors.Is(err, fs.ErrNotExist):
		return m, fmt.Errorf("there is no backup %s", r.Backup)
	case err != nil:
		return m, fmt.Errorf("the backup: %w", err)
	case info.IsDir():
		hint := "and has no backups in it"
		if all, err := Backups(r.Backup); err == nil && len(all) > 0 {
			hint = "name one of the backups in it; the newest is " + all[len(all)-1]
		}
		return m, fmt.Errorf("%s is a directory: %s", r.Backup, hint)
	case !strings.HasSuffix(r.Backup, backupEnd):
		return m, fmt.Errorf("%s is not a backup: name the file that ends in %s", r.Backup, backupEnd)
	}
	return ReadManifest(r.Backup)
}

// prepare makes sure that the data directory is there and empty, and reports whether it had to be made.
// What a restore that was killed left counts as nothing.
func (r Restore) prepare() (made bool, err error) {
	entries, err := os.ReadDir(r.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		made = true
		if err := makeDir(r.Data); err != nil {
			return false, fmt.Errorf("the data directory can not be made: %w", err)
		}
	case err != nil:
		return false, fmt.Errorf("the data directory: %w", err)
	}
	if remote(r.Data) {
		return made, errors.Join(errRemote(r.Data), r.undo(made))
	}
	for _, e := range entries {
		if slices.Contains(r.ours(), filepath.Join(r.Data, e.Name())) {
			continue
		}
		if err := r.served(); err != nil {
			return false, err
		}
		return false, fmt.Errorf("%s is not empty: choose a new directory with --data, or move what is in it elsewhere; nothing was changed", r.Data)
	}
	if err := os.Chmod(r.Data, 0o700); err != nil {
		return made, fmt.Errorf("the data directory can not be closed to other users: %w", err)
	}
	return made, nil
}

// served returns an error that says who serves the data directory, if anyone does.
func (r Restore) served() error {
	yes, err := held(filepath.Join(r.Data, lockName))
	if err != nil || !yes {
		return err
	}
	lock, err := holdDir(r.Data)
	if err != nil {
		return err
	}
	return lock.release() // it has just stopped
}

// ours are the files that a restore makes on its way.
func (r Restore) ours() []string {
	at := filepath.Join(r.Data, restoringName)
	return []string{at, at + "-journal", at + "-wal", at + "-shm", filepath.Join(r.Data, lockName)}
}

// undo removes what was made.
func (r Restore) undo(made bool) error {
	var err error
	for _, path := range r.ours() {
		err = errors.Join(err, removed(path))
	}
	if made {
		err = errors.Join(err, removed(r.Data))
	}
	return err
}

// fill makes the database.
func (r Restore) fill(ctx context.Context, m Manifest) error {
	at := filepath.Join(r.Data, restoringName)
	f, err := os.OpenFile(at, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	defer f.Close() // again, unless something failed
	size, sum, err := summed(r.Backup, f)
	if err != nil {
		return fmt.Errorf("copying the backup: %w", err)
	}
	if err := m.same(size, sum); err != nil {
		return fmt.Errorf("the backup %s: %w", r.Backup, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := m.prove(ctx, at); err != nil { // what was copied is what is proven
		return err
	}
	if err := r.renew(ctx, at); err != nil {
		return fmt.Errorf("giving the log a new epoch: %w", err)
	}
	if err := flush(at); err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := errors.Join(os.Rename(at, filepath.Join(r.Data, dbName)), syncDir(r.Data), syncDir(filepath.Dir(r.Data))); err != nil {
		return errors.Join(fmt.Errorf("restoring: %w", err), removed(filepath.Join(r.Data, dbName)))
	}
	return nil
}

// renew makes the database another incarnation of the log.
func (r Restore) renew(ctx context.Context, file string) (err error) {
	db, err := openFile(file, writing, "journal_mode(DELETE)", "secure_delete(1)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to do once committed
	// It was checked wholly just now, however the server was that the backup is of.
	if _, err := tx.ExecContext(ctx, `UPDATE log SET epoch = ?, clean = 1`, rand.Text()); err != nil {
		return err
	}
	if r.SignOut {
		var grants int // the first schema had none
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'grants'`).Scan(&grants); err != nil {
			return err
		}
		if grants > 0 {
			if _, err := tx.ExecContext(ctx, `DELETE FROM grants`); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// flush makes sure that a file is on disk.
func flush(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
