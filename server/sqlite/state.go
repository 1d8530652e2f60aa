package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// floor is the oldest SQLite whose write-ahead log is sound: before it, two
// connections that checkpoint and write at once can damage the file.
var floor = [3]int{3, 51, 3}

// checkProfile refuses a database that would not keep what it promises.
func checkProfile(ctx context.Context, db *sql.DB, file string) error {
	var version, journal string
	var synchronous int
	for dest, text := range map[any]string{
		&version:     `SELECT sqlite_version()`,
		&journal:     `PRAGMA journal_mode`,
		&synchronous: `PRAGMA synchronous`,
	} {
		if err := db.QueryRowContext(ctx, text).Scan(dest); err != nil {
			return fault("opening "+file, err)
		}
	}
	return judge(version, journal, synchronous, file)
}

// judge says what is wrong with how a database is written.
func judge(version, journal string, synchronous int, file string) error {
	if !sound(version) {
		return fmt.Errorf("this program was built with SQLite %s, which can damage its own files: build it with %d.%d.%d or newer", version, floor[0], floor[1], floor[2])
	}
	if journal != "wal" || synchronous != 2 {
		return fmt.Errorf("%s can not be written safely where it is (journal %q, synchronous %d): choose a data directory on a local disk", file, journal, synchronous)
	}
	return nil
}

// sound reports whether a version of SQLite is at or above the floor.
func sound(version string) bool {
	for i, part := range strings.SplitN(version, ".", 4) {
		if i == len(floor) {
			break
		}
		switch n, err := strconv.Atoi(part); {
		case err != nil || n < floor[i]:
			return false
		case n > floor[i]:
			return true
		}
	}
	return strings.Count(version, ".") >= 2
}

// epoch reads the name of this incarnation of the log, and gives one to a new log.
func (w *writer) epoch(ctx context.Context) (string, error) {
	var epoch string
	err := w.change(ctx, func(c *change) error {
		if err := c.exec(`INSERT INTO log (one, epoch) VALUES (1, ?) ON CONFLICT DO NOTHING`, rand.Text()); err != nil {
			return err
		}
		if ignoreNonce {
			if err := c.exec(`DROP INDEX IF EXISTS events_nonce`); err != nil {
				return err
			}
		}
		_, err := c.row([]any{&epoch}, `SELECT epoch FROM log`)
		return err
	})
	return epoch, err
}

// serving notes that a server has the database open, and reports whether the one before
// closed it.
func (w *writer) serving(ctx context.Context) (closed bool, err error) {
	err = w.change(ctx, func(c *change) error {
		if _, err := c.row([]any{&closed}, `SELECT clean FROM log`); err != nil {
			return err
		}
		return c.exec(`UPDATE log SET clean = 0`)
	})
	return closed, err
}

// quickCheck looks for damage in the file.
func (w *writer) quickCheck(ctx context.Context, file string) error {
	rows, err := w.conn.QueryContext(ctx, quickCheck)
	var found string
	if _, err := first(rows, err, []any{&found}); err != nil {
		return fault("checking "+file, err)
	}
	if found != "ok" {
		return fmt.Errorf("%s is damaged (%s): keep this file, and restore a backup into an empty data directory with \"parley restore\"", file, found)
	}
	return nil
}
