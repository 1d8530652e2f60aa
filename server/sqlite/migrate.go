package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// What the database was before an upgrade is kept in the data directory, under a name with the schema that came then.
const (
	beforeBegin = "before-schema-"
	beforeKept  = 2
)

// migrate brings the tables to what this program expects: forward only, each
// step in one transaction. A database that holds something is backed up first.
func migrate(ctx context.Context, db *sql.DB, file, app string) error {
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, steps)
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fault("reading the schema of "+file, err)
	}
	if has > knows {
		return errNewer(file, has, knows)
	}
	if has == knows {
		return nil
	}
	if has > 0 {
		if err := keepBefore(ctx, db, file, knows, app); err != nil {
			return err
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fault("upgrading "+file, err)
	}
	return nil
}

// keepBefore backs the database up beside itself. The caller has it for itself.
func keepBefore(ctx context.Context, db *sql.DB, file string, knows int64, app string) error {
	dir := filepath.Dir(file)
	name := beforeBegin + fmt.Sprintf("%04d", knows) + backupEnd
	_, err := keepCopy(ctx, db, filepath.Join(dir, name), Manifest{App: app, Made: time.Now().UTC().Truncate(time.Millisecond)})
	if noSpace(err) {
		return fmt.Errorf("before an upgrade the database is copied, and there is not enough space for that in %s: free some and start again; nothing was changed: %w", dir, err)
	}
	if err != nil {
		return fmt.Errorf("backing up %s before an upgrade; nothing was changed: %w", file, err)
	}
	if _, err := prune(dir, beforeBegin, beforeKept); err != nil {
		return fmt.Errorf("removing old backups from before an upgrade in %s: %w", dir, err)
	}
	return nil
}
