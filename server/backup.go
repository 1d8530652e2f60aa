package main

import (
	"context"
	"errors"
	"fmt"

	"parley/server/sqlite"
)

type backupCmd struct {
	Dir  string `arg:"" help:"The directory for backups. It is made when missing; only its owner may read it."`
	Keep int    `placeholder:"N" help:"Remove all backups in DIR but the newest N. Default: keep all."`
}

// Run makes a backup, also while the server runs.
func (b *backupCmd) Run(ctx context.Context, c *cli, t *terminal) error {
	if b.Keep < 0 {
		return errors.New("--keep is the number of backups to keep: 1 or more")
	}
	path, m, gone, err := sqlite.Backup{Data: c.Data, Dir: b.Dir, App: version, Keep: b.Keep}.Make(ctx)
	if err != nil {
		return interrupted(ctx, err)
	}
	older := ""
	if gone > 0 {
		older = fmt.Sprintf("; %d older removed", gone)
	}
	_, err = fmt.Fprintf(t.out, "%s is a checked backup of %s: %s, %s%s.\n", path, c.Data, m.Facts, size(m.Size), older)
	return err
}

type restoreCmd struct {
	Backup  string `arg:"" help:"The backup: a file that \"parley backup\" made, with its manifest beside it."`
	SignOut bool   `help:"End all sessions and revoke all tokens: everyone has to sign in again."`
}

// Run makes a data directory of a backup.
func (r *restoreCmd) Run(ctx context.Context, c *cli, t *terminal) error {
	m, err := sqlite.Restore{Backup: r.Backup, Data: c.Data, SignOut: r.SignOut}.Make(ctx)
	if err != nil {
		return interrupted(ctx, err)
	}
	signedOut := ""
	if r.SignOut {
		signedOut = "; everyone is signed out"
	}
	_, err = fmt.Fprintf(t.out, "%s holds the backup of %s now: %s%s. Start the server on it as usual.\n",
		c.Data, m.Made.Local().Format("2 January 2006 15:04:05"), m.Facts, signedOut)
	return err
}

// interrupted says so, where that is why a command failed.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing was kept")
	}
	return err
}

// size writes a number of bytes for a person.
func size(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, names := float64(n)/unit, []string{"kB", "MB", "GB"}
	for f >= unit && len(names) > 1 {
		f, names = f/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %s", f, names[0])
}
