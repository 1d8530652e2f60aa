package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"

	"parley/app/chat"
)

// A writer owns the one connection that writes. Whoever writes holds its turn.
type writer struct {
	turn  chan struct{} // holds a token while someone writes
	db    *sql.DB       // a pool of one
	conn  *sql.Conn     // the one
	stmts *prepared     // guarded by turn
	known *known        // guarded by turn
	done  chan struct{} // closed: no new change

	suspect bool       // SQLite failed; the file has to be checked. Guarded by turn.
	broken  bool       // no change is begun any more. Guarded by turn.
	failed  chan error // says why, once
}

// newWriter makes a writer of db, which becomes its own.
func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &writer{
		turn: make(chan struct{}, 1), db: db, conn: conn,
		stmts: newPrepared(conn), known: newKnown(), done: make(chan struct{}), failed: make(chan error, 1),
	}, nil
}

// close waits for the change that is under way and closes the connection. In order means
// to note that the server has stopped, and to leave nothing in the write-ahead log; ctx should
// have no end.
func (w *writer) close(ctx context.Context, inOrder bool) error {
	close(w.done)
	w.turn <- struct{}{} // and is not given back
	var err error
	if inOrder && !w.suspect {
		// When a command has the database open too, something remains in the log for the next start.
		for _, text := range []string{`UPDATE log SET clean = 1`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
			if _, e := w.conn.ExecContext(ctx, text); e != nil {
				err = errors.Join(err, fault("closing the database", e))
			}
		}
	}
	return errors.Join(err, w.stmts.close(), w.db.Close())
}

// A change is one transaction that writes.
type change struct {
	w *writer
	// ctx has no end: a transaction that has begun is carried through, and does not take long.
	ctx context.Context
}

// change runs f in a transaction, which is committed unless f fails.
func (w *writer) change(ctx context.Context, f func(*change) error) error {
	select {
	case w.turn <- struct{}{}:
	case <-w.done:
		return chat.ErrUnavailable
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.turn }()
	if w.broken {
		return chat.ErrUnavailable
	}
	c := &change{w: w, ctx: context.WithoutCancel(ctx)}
	err := c.run(f)
	if _, ok := errors.AsType[*sqlite.Error](err); ok {
		w.suspect = true
	}
	if broken(err) {
		w.broken = true
		w.failed <- err // the only one
	}
	return err
}

func (c *change) run(f func(*change) error) error {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			c.w.known = newKnown() // it may hold what was never committed
			// Where SQLite has rolled back by itself this fails, and need not be done.
			_ = c.exec("ROLLBACK")
		}
	}()
	if err := f(c); err != nil {
		return err
	}
	if err := c.exec("COMMIT"); err != nil {
		return err
	}
	committed = true
	return nil
}

func (c *change) exec(text string, args ...any) error {
	_, err := c.w.stmts.exec(c.ctx, text, args...)
	return err
}

// changed is exec for who needs to know how many rows it was about.
func (c *change) changed(text string, args ...any) (int64, error) {
	res, err := c.w.stmts.exec(c.ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// inserted is exec for who needs the number of the row inserted.
func (c *change) inserted(text string, args ...any) (int64, error) {
	res, err := c.w.stmts.exec(c.ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (c *change) query(text string, args ...any) (*sql.Rows, error) {
	return c.w.stmts.query(c.ctx, text, args...)
}

// row reads the first row into dest and reports whether there is one.
func (c *change) row(dest []any, text string, args ...any) (bool, error) {
	rows, err := c.query(text, args...)
	return first(rows, err, dest)
}
