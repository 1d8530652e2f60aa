package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Facts are what a database says of itself.
type Facts struct {
	Schema int64  `json:"schema"` // the number of the newest migration it has had
	Epoch  string `json:"epoch"`  // of the log
	Head   int64  `json:"head"`   // the position of the newest event
	Events int64  `json:"events"`
}

// String says it to a person.
func (f Facts) String() string { return fmt.Sprintf("%d events, schema %d", f.Events, f.Schema) }

// factsOf reads what the database says of itself, at one moment. It works for every schema there ever was.
func factsOf(ctx context.Context, db *sql.DB) (f Facts, err error) {
	err = db.QueryRowContext(ctx, `
		SELECT (SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied),
		  coalesce((SELECT epoch FROM log), ''), (SELECT coalesce(max(pos), 0) FROM events), (SELECT count(*) FROM events)`,
	).Scan(&f.Schema, &f.Epoch, &f.Head, &f.Events)
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == lib.SQLITE_ERROR { // there are no such tables
		err = fmt.Errorf("this is not a database of parley: %w", err)
	}
	return f, err
}

// knows is the schema that this program expects.
func knows() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("reading the migrations: %d files: %w", len(names), err)
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(names[len(names)-1], "migrations/"), "_")
	return strconv.ParseInt(number, 10, 64)
}

// errNewer says that a database is of a version of parley that came after this one.
func errNewer(file string, has, knows int64) error {
	return fmt.Errorf("%s was written by a newer parley (schema %d; this one knows %d): start that version again, or restore a backup from before the upgrade", file, has, knows)
}

// openFile opens a database as it is, with no more than one connection: nothing is made, upgraded or
// noted in it.
func openFile(file string, how access, more ...string) (*sql.DB, error) {
	return connect(dsn(file, how, more...), 1)
}

// How to look for damage. The full check also holds every index against its table.
const (
	quickCheck = `PRAGMA quick_check(1)`
	fullCheck  = `PRAGMA integrity_check(1)`
)

// check looks for damage and returns the first that is found, or "".
func check(ctx context.Context, db *sql.DB, how string) (damage string, err error) {
	err = db.QueryRowContext(ctx, how).Scan(&damage)
	if beyond(err) {
		damage, err = err.Error(), nil
	}
	if damage == "ok" {
		damage = ""
	}
	return strings.ReplaceAll(damage, "\n", " "), err
}

// beyond reports whether a file is so broken that it can not even be checked.
func beyond(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == lib.SQLITE_CORRUPT || e.Code()&0xff == lib.SQLITE_NOTADB)
}

// prove checks a file that nobody writes, wholly, and reads what it says of itself.
func prove(ctx context.Context, file string) (f Facts, err error) {
	db, err := openFile(file, still)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	damage, err := check(ctx, db, fullCheck)
	if err != nil {
		return f, err
	}
	if damage != "" {
		return f, fmt.Errorf("%s is damaged (%s)", file, damage)
	}
	return factsOf(ctx, db)
}
