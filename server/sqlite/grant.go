package sqlite

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/server/auth"
)

// AddGrant implements auth.Store.
func (s *Store) AddGrant(ctx context.Context, g auth.Grant, keep int) (ended []string, err error) {
	err = s.account(ctx, "keeping a grant", func(c *change) error {
		who, ok, err := c.person(g.User)
		if err != nil {
			return err
		}
		if !ok {
			return chat.ErrNotFound
		}
		if g.Token {
			var n int
			if _, err := c.row([]any{&n}, `SELECT count(*) FROM grants WHERE user = ? AND token = 1`, who.num); err != nil {
				return err
			}
			if n >= keep {
				return &chat.Error{Code: chat.CodeTooLarge, Message: "you have too many tokens; revoke one first", Max: keep, Got: n + 1}
			}
		}
		err = c.exec(`INSERT INTO grants (id, secret, user, token, name, created, seen) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			g.ID, g.Secret[:], who.num, g.Token, g.Name, g.Created.UnixMilli(), g.Seen.UnixMilli())
		if err != nil || g.Token {
			return err
		}
		ended, err = c.ids(`
			DELETE FROM grants WHERE id IN (
			  SELECT id FROM grants WHERE user = ?1 AND token = 0 AND id <> ?2
			  ORDER BY seen DESC, created DESC LIMIT -1 OFFSET ?3)
			RETURNING id`, who.num, g.ID, max(0, keep-1))
		return err
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// ids reads the one column that a statement returns.
func (c *change) ids(text string, args ...any) (ids []string, err error) {
	rows, err := c.query(text, args...)
	err = each(rows, err, func(s scan) error {
		var id string
		err := s(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

const sqlGrants = `
	SELECT g.id, g.secret, g.token, g.name, g.created, g.seen, u.id, u.name, u.owner, u.name_key, u.password, u.created_at
	FROM grants g CROSS JOIN users u ON u.num = g.user AND u.deactivated_at IS NULL `

// scanGrant reads a row of sqlGrants.
func scanGrant(s scan) (g auth.Grant, u auth.User, err error) {
	var secret []byte
	var created, seen, joined int64
	dest := append([]any{&g.ID, &secret, &g.Token, &g.Name, &created, &seen}, userColumns(&u, &joined)...)
	if err := s(dest...); err != nil {
		return g, u, err
	}
	copy(g.Secret[:], secret)
	g.User = u.ID
	g.Created, g.Seen, u.Created = time.UnixMilli(created).UTC(), time.UnixMilli(seen).UTC(), time.UnixMilli(joined).UTC()
	return g, u, nil
}

// Grant implements auth.Store.
func (s *Store) Grant(ctx context.Context, secret auth.Digest) (g auth.Grant, u auth.User, err error) {
	err = s.view(ctx, "reading a grant", func(v *view) error {
		found := false
		rows, err := v.query(sqlGrants+`WHERE g.secret = ?`, secret[:])
		err = each(rows, err, func(s scan) error {
			found = true
			g, u, err = scanGrant(s)
			return err
		})
		if err == nil && !found {
			return chat.ErrNotFound
		}
		return err
	})
	return g, u, err
}

// Grants implements auth.Store.
func (s *Store) Grants(ctx context.Context, u chat.UserID) (grants []auth.Grant, err error) {
	err = s.view(ctx, "reading grants", func(v *view) error {
		who, err := v.user(u)
		if err != nil {
			return err
		}
		rows, err := v.query(sqlGrants+`WHERE g.user = ? ORDER BY g.created DESC, g.id`, who)
		return each(rows, err, func(s scan) error {
			g, _, err := scanGrant(s)
			grants = append(grants, g)
			return err
		})
	})
	return grants, err
}

// Touch implements auth.Store.
func (s *Store) Touch(ctx context.Context, seen time.Time, grants ...string) (gone []string, err error) {
	err = s.account(ctx, "noting the use of grants", func(c *change) error {
		gone = nil
		for _, id := range grants {
			n, err := c.changed(`UPDATE grants SET seen = max(seen, ?) WHERE id = ?`, seen.UnixMilli(), id)
			if err != nil {
				return err
			}
			if n == 0 {
				gone = append(gone, id)
			}
		}
		return nil
	})
	return gone, err
}

// EndGrant implements auth.Store.
func (s *Store) EndGrant(ctx context.Context, u chat.UserID, id string) error {
	return s.account(ctx, "ending a grant", func(c *change) error {
		n, err := c.changed(`DELETE FROM grants WHERE id = ? AND user = (SELECT num FROM users WHERE id = ?)`, id, string(u))
		if err == nil && n == 0 {
			return chat.ErrNotFound
		}
		return err
	})
}

// EndStale implements auth.Store.
func (s *Store) EndStale(ctx context.Context, now, idle, oldest time.Time) (ended []string, err error) {
	err = s.account(ctx, "ending stale sessions", func(c *change) error {
		if err := c.exec(`UPDATE grants SET seen = min(seen, ?1), created = min(created, ?1) WHERE seen > ?1 OR created > ?1`,
			now.UnixMilli()); err != nil {
			return err
		}
		ended, err = c.ids(`DELETE FROM grants WHERE token = 0 AND (seen < ? OR created < ?) RETURNING id`,
			idle.UnixMilli(), oldest.UnixMilli())
		return err
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}
