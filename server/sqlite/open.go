// Package sqlite keeps everything that must not be forgotten in one SQLite
// database: the log of package hub, and the accounts of package auth.
//
// A [Store] is an open database. One connection writes, one transaction at a
// time, each flushed to the disk before it returns; a few others read, each
// transaction from one moment of the log. The process that serves holds the data
// directory for itself; others, such as administrative commands, may open
// the same database beside it, to read and to write accounts, never the log.
//
// What is deleted is overwritten in the database at once. The write-ahead log beside it
// may hold it until it is written over, and holds nothing once the server has stopped.
//
// In the database users and rooms are numbered, since the log repeats them in
// every row; the numbers never leave this package.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"modernc.org/sqlite"

	"parley/server/auth"
	"parley/server/hub"
)

var (
	_ hub.Store  = (*Store)(nil)
	_ auth.Store = (*Store)(nil)
)

// Options say what to open.
type Options struct {
	Dir   string       // the data directory; made when missing
	Serve bool         // hold Dir for this process alone, as a server must
	App   string       // the version of this program, for the backup before an upgrade
	Log   *slog.Logger // told of what takes long or was found broken; may be nil
}

// A Store is the database of one data directory. It is a hub.Store and an
// auth.Store.
type Store struct {
	epoch   string
	serve   bool
	lock    *lock   // of the directory; nil unless serve
	w       *writer // owns the one connection that writes
	r       *reader // owns those that read
	closing sync.Once
}

// dbName is the database's file in the data directory.
const dbName = "parley.db"

// Open opens the database in o.Dir, making or upgrading it when needed. The
// caller closes it.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{serve: o.Serve}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(err, s.release(context.WithoutCancel(ctx), false))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) error {
	file, err := prepareDir(o.Dir)
	if err != nil {
		return err
	}
	if o.Serve {
		if s.lock, err = holdDir(o.Dir); err != nil {
			return err
		}
	}
	// Two processes may open at once; one of them makes the tables.
	opening, err := waitLock(ctx, filepath.Join(o.Dir, "opening.lock"))
	if err != nil {
		return err
	}
	err = s.openWriter(ctx, file, o.App)
	if err := errors.Join(err, opening.release()); err != nil {
		return err
	}
	if o.Serve {
		if err := s.begin(ctx, o.Log, file); err != nil {
			return err
		}
	}
	readers := min(16, max(4, 2*runtime.GOMAXPROCS(0)))
	s.r, err = newReader(ctx, dsn(file, writing, "query_only(1)", "cache_size(-4000)"), readers)
	return err
}

// openWriter opens the connection that writes and makes the tables what they should be.
func (s *Store) openWriter(ctx context.Context, file, app string) error {
	// secure_delete: what was deleted is overwritten, not only unlinked.
	db, err := connect(dsn(file, writing, "journal_mode(WAL)", "secure_delete(1)", "cache_size(-16000)", "wal_autocheckpoint(2000)"), 1)
	if err != nil {
		return fmt.Errorf("opening %s: %w", file, err)
	}
	err = checkProfile(ctx, db, file)
	if err == nil {
		err = migrate(ctx, db, file, app)
	}
	if err == nil {
		err = skipSync(ctx, db)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	if s.w, err = newWriter(ctx, db); err != nil {
		return fault("opening "+file, err)
	}
	s.epoch, err = s.w.epoch(ctx)
	return fault("opening "+file, err)
}

// access is how a file may be opened.
type access string

const (
	writing access = "mode=rw"             // to read and write
	reading access = "mode=ro"             // to read, also beside someone who writes
	still   access = "mode=ro&immutable=1" // to read a file that nobody writes
)

// dsn names the database with the settings that every connection has, and more.
func dsn(file string, how access, more ...string) string {
	pragmas := append([]string{
		"busy_timeout(5000)",
		"synchronous(FULL)", // what was answered survives a loss of power
		"foreign_keys(1)",
		"trusted_schema(0)",
		"cell_size_check(1)",
		"mmap_size(0)",
		"journal_size_limit(67108864)",
		"temp_store(MEMORY)",
	}, more...)
	u := url.URL{Path: filepath.ToSlash(file)}
	return "file:" + u.EscapedPath() + "?" + string(how) + "&" + url.Values{"_pragma": pragmas}.Encode()
}

// connect makes a pool of at most n connections, which stay.
func connect(dsn string, n int) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// begin notes that a server holds the database now. Where the one before did not
// get to say that it had stopped, the file is checked first.
func (s *Store) begin(ctx context.Context, log *slog.Logger, file string) error {
	closed, err := s.w.serving(ctx)
	if err != nil {
		return fault("opening "+file, err)
	}
	if closed {
		return nil
	}
	log.Info("the server was not stopped in order; checking the database", "file", file)
	return s.w.quickCheck(ctx, file)
}

// Failed says, once, that the database can not be written any more: the process should end and start again. Until it
// does, every change fails, and what is there can be read.
func (s *Store) Failed() <-chan error { return s.w.failed }

// Close waits for what is under way, brings the database in order and closes it. What is
// asked of it later is chat.ErrUnavailable. Only the first Close does anything.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() { err = s.release(context.Background(), s.serve) })
	return err
}

// release lets go of what is open. When it is not to be brought in order, the next
// to serve checks it.
func (s *Store) release(ctx context.Context, inOrder bool) error {
	var err error
	if s.r != nil {
		err = s.r.close()
	}
	if s.w != nil {
		err = errors.Join(err, s.w.close(ctx, inOrder))
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.release())
	}
	return err
}

// Epoch implements hub.Store.
func (s *Store) Epoch() string { return s.epoch }

// prepareDir makes the data directory and the database's file, for their owner only.
func prepareDir(dir string) (file string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", fmt.Errorf("the data directory: %w", err)
	}
	if err := makeDir(dir); err != nil {
		return "", fmt.Errorf("the data directory can not be made: %w", err)
	}
	if remote(dir) {
		return "", errRemote(dir)
	}
	if _, err := os.Stat(filepath.Join(dir, restoringName)); err == nil {
		return "", fmt.Errorf("a backup is being restored into %s, or was and did not finish: run \"parley restore\" again", dir)
	}
	file = filepath.Join(dir, dbName)
	if err := closeDir(dir, file); err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("the database can not be opened: %w", err)
	}
	return file, errors.Join(f.Chmod(0o600), f.Close())
}

func errRemote(dir string) error {
	return fmt.Errorf("%s is on a network drive, where a database can be damaged: choose a data directory on a local disk", dir)
}
