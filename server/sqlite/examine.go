package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// An Examination is what can be seen of a data directory from outside, without changing anything.
type Examination struct {
	Remote  bool     // the directory is on a network drive
	Open    []string // what other users may look into
	Foreign []string // what belongs to another user

	SQLite string // the version of SQLite in this program
	Sound  bool   // … which does not damage its own files

	Facts
	Knows  int64     // the schema that this program expects
	Damage string    // what the check found; "" for nothing
	Newest time.Time // when the newest event was appended; zero without one

	Size, Log int64 // of the database, and of its write-ahead log, in bytes
	Free      int64 // on the disk; -1 when that can not be told
	Served    bool  // a server runs on it
}

// Examine looks at a data directory. Full means to check the database wholly, which takes longer.
func Examine(ctx context.Context, dir string, full bool) (x Examination, err error) {
	file, err := dataFile(dir)
	if err != nil {
		return x, err
	}
	if x.Knows, err = knows(); err != nil {
		return x, err
	}
	dir = filepath.Dir(file)
	x.Remote = remote(dir)
	whole, err := os.Stat(dir)
	if err != nil {
		return x, fmt.Errorf("looking at %s: %w", dir, err)
	}
	for _, path := range []string{dir, file, file + "-wal", file + "-shm"} {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return x, fmt.Errorf("looking at %s: %w", path, err)
		}
		if modesCount && info.Mode().Perm()&0o077 != 0 {
			x.Open = append(x.Open, path)
		}
		if foreign(info, whole) {
			x.Foreign = append(x.Foreign, path)
		}
		switch path {
		case file:
			x.Size = info.Size()
		case file + "-wal":
			x.Log = info.Size()
		}
	}
	x.Free = -1
	if n, known := freeSpace(dir); known {
		x.Free = int64(n)
	}
	if x.Served, err = held(filepath.Join(dir, lockName)); err != nil {
		return x, err
	}
	if x.SQLite, err = version(ctx); err != nil {
		return x, fmt.Errorf("asking SQLite for its version: %w", err)
	}
	x.Sound = sound(x.SQLite)
	db, err := openFile(file, reading)
	if err != nil {
		return x, fmt.Errorf("opening %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := x.read(ctx, db, full); err != nil {
		return x, fmt.Errorf("reading %s: %w", file, err)
	}
	return x, nil
}

func (x *Examination) read(ctx context.Context, db *sql.DB, full bool) error {
	how := quickCheck
	if full {
		how = fullCheck
	}
	var err error
	if x.Damage, err = check(ctx, db, how); err != nil || x.Damage != "" {
		return err
	}
	if x.Facts, err = factsOf(ctx, db); err != nil {
		return err
	}
	var at sql.NullInt64
	if err := db.QueryRowContext(ctx, `SELECT at FROM events WHERE pos = (SELECT max(pos) FROM events)`).Scan(&at); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if at.Valid {
		x.Newest = time.UnixMilli(at.Int64)
	}
	return nil
}

// version is that of the SQLite in this program, whatever there is on the disk.
func version(ctx context.Context) (v string, err error) {
	db, err := connect("file::memory:", 1)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&v)
	return v, err
}

// held reports whether another process has locked a file. It lets go of it at once, and makes none.
func held(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a server: %w", err)
	}
	err = tryLock(f)
	if errors.Is(err, errHeld) {
		return true, f.Close()
	}
	return false, errors.Join(err, f.Close())
}
