package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"parley/server/sqlite"
)

// From here on something is wrong.
const (
	needSpace  = 256 << 20      // bytes free, besides what a copy of the database takes
	longLog    = 64 << 20       // bytes of the write-ahead log
	oldBackup  = 26 * time.Hour // made every day, with two hours to spare
	clockSlack = time.Minute
	answerTime = 5 * time.Second
)

type doctorCmd struct {
	Backups string `placeholder:"DIR" help:"Where the backups are: see whether the newest is whole, and not too old."`
	Full    bool   `help:"Check the whole database, its indexes too. That takes longer."`
}

// Run looks at the data directory, says what is well and what is not, and changes nothing.
func (d *doctorCmd) Run(ctx context.Context, c *cli, t *terminal) error {
	x, err := sqlite.Examine(ctx, c.Data, d.Full)
	if err != nil {
		return err
	}
	r := &findings{out: t.out}
	r.directory(c.Data, x)
	r.database(c.Data, x)
	r.disk(c.Data, x)
	r.server(c, x, d.ask(ctx, c, x))
	r.clock(x, time.Now())
	if d.Backups != "" {
		d.backups(ctx, r)
	}
	switch {
	case r.err != nil:
		return r.err
	case r.wrong == 1:
		return errors.New("one thing is wrong; what to do is said above")
	case r.wrong > 1:
		return fmt.Errorf("%d things are wrong; what to do is said above", r.wrong)
	}
	return nil
}

// findings are printed as they are made.
type findings struct {
	out   io.Writer
	wrong int
	err   error // of printing
}

// say prints one finding: text when all is well, else what is wrong and what to do.
func (r *findings) say(well bool, text, wrong, mend string) {
	mark := "ok    "
	if !well {
		r.wrong++
		mark, text = "WRONG ", wrong+": "+mend
	}
	_, err := fmt.Fprintln(r.out, mark+text)
	r.err = errors.Join(r.err, err)
}

func (r *findings) directory(dir string, x sqlite.Examination) {
	if x.Remote {
		r.say(false, "", dir+" is on a network drive, where a database can be damaged", "stop the server and move it to a local disk")
	}
	if len(x.Foreign) > 0 {
		r.say(false, "", strings.Join(x.Foreign, ", ")+" belongs to another user",
			"run parley as that user, or give the directory with all that is in it to the user who runs parley (chown -R)")
	}
	r.say(len(x.Open) == 0, dir+" is closed to other users",
		strings.Join(x.Open, ", ")+" can be read by other users", "run chmod -R go= "+dir)
}

func (r *findings) database(dir string, x sqlite.Examination) {
	r.say(x.Sound, "SQLite "+x.SQLite, "SQLite "+x.SQLite+" in this program can damage its own files", "use a newer parley")
	r.say(x.Damage == "", "the database has no damage", "the database is damaged ("+x.Damage+")",
		"stop the server, keep "+dir+" as it is, and restore the newest backup into another directory with \"parley restore\"")
	if x.Damage != "" {
		return // what it says of itself was not read
	}
	r.say(x.Events == x.Head, fmt.Sprintf("the log is without gaps: %d events", x.Events),
		fmt.Sprintf("the log has gaps: %d events up to position %d", x.Events, x.Head),
		"something else than parley wrote in the database; restore the newest backup into another directory")
	upgrade := ""
	if x.Schema < x.Knows {
		upgrade = fmt.Sprintf("; the next start makes it %d, and keeps a backup first", x.Knows)
	}
	r.say(x.Schema <= x.Knows, fmt.Sprintf("schema %d%s", x.Schema, upgrade),
		fmt.Sprintf("a newer parley wrote the database (schema %d; this one knows %d)", x.Schema, x.Knows), "use that version of parley")
}

func (r *findings) disk(dir string, x sqlite.Examination) {
	if x.Free >= 0 {
		need := x.Size + needSpace
		r.say(x.Free >= need, size(x.Free)+" are free, the database has "+size(x.Size),
			fmt.Sprintf("only %s are free, where %s should be", size(x.Free), size(need)), "free some on the disk of "+dir+", or move it to a larger one")
	}
	r.say(x.Log <= longLog, "the write-ahead log has "+size(x.Log), "the write-ahead log has grown to "+size(x.Log),
		"something reads the database for very long, or the server was killed; stop other programs that have it open, and restart the server")
}

// ask asks the server that runs, if any, whether it is well.
func (d *doctorCmd) ask(ctx context.Context, c *cli, x sqlite.Examination) error {
	if !x.Served {
		return nil
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("%q is not an address: %w", c.Addr, err)
	}
	if host == "" {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New("it answers " + res.Status)
	}
	return nil
}

func (r *findings) server(c *cli, x sqlite.Examination, answer error) {
	if !x.Served {
		r.say(true, "no server runs on it now", "", "")
		return
	}
	r.say(answer == nil, "a server runs on it, and is ready at "+c.Addr,
		fmt.Sprintf("a server runs on it, but is not ready at %s (%v)", c.Addr, answer),
		"say with --addr where it listens; if that is right, look into its log, and restart it")
}

func (r *findings) clock(x sqlite.Examination, now time.Time) {
	const first = 2026 // when the first parley was written
	const mend = "set it, and let the system keep it right (timedatectl set-ntp true)"
	at := now.Format("2 January 2006 15:04:05 MST")
	switch ahead := x.Newest.Sub(now); {
	case now.Year() < first:
		r.say(false, "", "the clock says "+at, mend)
	case ahead > clockSlack:
		r.say(false, "", fmt.Sprintf("the newest event is %s from the future: the clock is behind, or was ahead when it was written", ahead.Round(time.Second)), mend)
	default:
		r.say(true, "the clock says "+at, "", "")
	}
}

// backups looks at the newest backup.
func (d *doctorCmd) backups(ctx context.Context, r *findings) {
	const again = "make one with \"parley backup\""
	all, err := sqlite.Backups(d.Backups)
	if err != nil {
		r.say(false, "", "the backups can not be looked at ("+err.Error()+")", "say with --backups where they are")
		return
	}
	if len(all) == 0 {
		r.say(false, "", "there is no backup in "+d.Backups, again+", and then every day")
		return
	}
	path := all[len(all)-1]
	m, err := sqlite.Verify(ctx, path)
	if err != nil {
		r.say(false, "", "the newest backup can not be used ("+err.Error()+")", again)
		return
	}
	age := time.Since(m.Made)
	r.say(age <= oldBackup, fmt.Sprintf("the newest backup, %s, is whole and %s old", path, age.Round(time.Minute)),
		fmt.Sprintf("the newest backup, %s, is %s old", path, age.Round(time.Hour)), again+", and then every day")
}
