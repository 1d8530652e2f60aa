package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"parley/app/chat"
	"parley/server/hub"
)

// A reader owns the connections that read. Each serves one view at a time.
type reader struct {
	db   *sql.DB
	free chan *prepared // the connections that no view has
	n    int            // connections in all
	done chan struct{}  // closed: no new view
}

func newReader(ctx context.Context, dsn string, n int) (*reader, error) {
	db, err := connect(dsn, n)
	if err != nil {
		return nil, fmt.Errorf("opening the database for reading: %w", err)
	}
	r := &reader{db: db, free: make(chan *prepared, n), done: make(chan struct{})}
	for range n {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, errors.Join(fault("opening the database for reading", err), r.close())
		}
		r.free <- newPrepared(conn)
		r.n++
	}
	return r, nil
}

// close waits for the views that are open and closes the connections.
func (r *reader) close() error {
	close(r.done)
	var err error
	for range r.n {
		err = errors.Join(err, (<-r.free).close())
	}
	return errors.Join(err, r.db.Close())
}

// A view is one transaction that reads: all of it sees one moment of the log.
type view struct {
	ctx context.Context
	p   *prepared
}

// view runs f in a view. doing says in an error what it was for.
func (s *Store) view(ctx context.Context, doing string, f func(*view) error) error {
	var p *prepared
	select {
	case p = <-s.r.free:
	case <-s.r.done:
		return fmt.Errorf("%s: %w", doing, chat.ErrUnavailable)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	defer func() { s.r.free <- p }()
	always := context.WithoutCancel(ctx) // what is begun is ended, also for who has gone
	if _, err := p.exec(always, "BEGIN"); err != nil {
		return fault(doing, err)
	}
	err := f(&view{ctx: ctx, p: p})
	// Nothing was written, so that nothing is lost whichever way it ends.
	if _, end := p.exec(always, "ROLLBACK"); end != nil {
		err = errors.Join(err, end)
	}
	if _, ok := errors.AsType[*chat.Error](err); ok {
		return err // an answer, not trouble
	}
	return fault(doing, err)
}

func (v *view) query(text string, args ...any) (*sql.Rows, error) {
	return v.p.query(v.ctx, text, args...)
}

// row reads the first row into dest and reports whether there is one.
func (v *view) row(dest []any, text string, args ...any) (bool, error) {
	rows, err := v.query(text, args...)
	return first(rows, err, dest)
}

// head is the position of the newest event.
func (v *view) head() (hub.Pos, error) {
	var head hub.Pos
	_, err := v.row([]any{&head}, sqlHead)
	return head, err
}

// user is the number of the user.
func (v *view) user(id chat.UserID) (int64, error) {
	var num int64
	if ok, err := v.row([]any{&num}, `SELECT num FROM users WHERE id = ?`, string(id)); err != nil || ok {
		return num, err
	}
	return 0, chat.ErrNotFound
}
