package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// prepared keeps a statement of one connection for each text of SQL, made when
// first used. The texts are constants of this package, so there are only so
// many. It belongs to whoever has the connection.
type prepared struct {
	conn *sql.Conn
	kept map[string]*sql.Stmt
}

func newPrepared(conn *sql.Conn) *prepared {
	return &prepared{conn: conn, kept: map[string]*sql.Stmt{}}
}

func (p *prepared) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := p.kept[text]; st != nil {
		return st, nil
	}
	st, err := p.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	p.kept[text] = st
	return st, nil
}

// close closes the connection. SQLite keeps it open behind the scenes for as long
// as a statement is.
func (p *prepared) close() error {
	var err error
	for _, st := range p.kept {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, p.conn.Close())
}

func (p *prepared) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st, err := p.get(ctx, text) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (p *prepared) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := p.get(ctx, text) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// A scan reads the columns of the current row.
type scan func(dest ...any) error

// each calls f for every row and closes rows.
func each(rows *sql.Rows, err error, f func(scan) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// first reads the first row into dest, reports whether there is one, and closes rows.
func first(rows *sql.Rows, err error, dest []any) (bool, error) {
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dest...); err != nil {
		return false, err
	}
	return true, rows.Close()
}
