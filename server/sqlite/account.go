package sqlite

import (
	"context"
	"errors"
	"time"

	"parley/app/chat"
	"parley/server/auth"
)

// account runs f in a transaction. doing says in an error what it was for.
func (s *Store) account(ctx context.Context, doing string, f func(*change) error) error {
	err := s.w.change(ctx, f)
	if _, ok := errors.AsType[*chat.Error](err); ok {
		return err // an answer, not trouble
	}
	return fault(doing, err)
}

// SetUp implements auth.Store.
func (s *Store) SetUp(ctx context.Context) (setup auth.SetUp, err error) {
	err = s.view(ctx, "reading the set-up", func(v *view) error {
		var code []byte
		_, err := v.row([]any{&setup.Done, &code}, `SELECT done, code FROM setup`)
		copy(setup.Code[:], code)
		return err
	})
	return setup, err
}

// PutCode implements auth.Store.
func (s *Store) PutCode(ctx context.Context, code auth.Digest) error {
	return s.account(ctx, "keeping the set-up code", func(c *change) error {
		return c.exec(`UPDATE setup SET code = ? WHERE done = 0`, code[:])
	})
}

// Claim implements auth.Store.
func (s *Store) Claim(ctx context.Context, u auth.User) error {
	return s.account(ctx, "setting up the server", func(c *change) error {
		n, err := c.changed(`UPDATE setup SET done = 1, code = NULL WHERE done = 0`)
		if err != nil {
			return err
		}
		if n == 0 {
			return chat.Errorf(chat.CodeGone, "this server has an owner already")
		}
		u.Owner = true
		return c.addUser(u)
	})
}

// AddUser implements auth.Store.
func (s *Store) AddUser(ctx context.Context, u auth.User) error {
	return s.account(ctx, "adding a user", func(c *change) error { return c.addUser(u) })
}

func (c *change) addUser(u auth.User) error {
	if err := c.unlike(u); err != nil {
		return err
	}
	n, err := c.changed(`
		INSERT INTO users (id, name, name_key, password, owner, created_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name_key) DO NOTHING`,
		string(u.ID), u.Name, u.Key, u.Hash, u.Owner, u.Created.UnixMilli())
	if err == nil && n == 0 {
		return chat.Errorf(chat.CodeConflict, "this name is taken; choose another")
	}
	return err
}

// unlike refuses a name that could be taken for another's. Of the names, those are read that came since it was
// asked last.
func (c *change) unlike(u auth.User) error {
	k := c.w.known
	rows, err := c.query(`SELECT num, name, name_key FROM users WHERE num > ?`, k.looked)
	err = each(rows, err, func(s scan) error {
		var num int64
		var name, key string
		if err := s(&num, &name, &key); err != nil {
			return err
		}
		k.looks.Add(name, key)
		k.looked = max(k.looked, num)
		return nil
	})
	if err == nil && k.looks.Like(u.Name, u.Key) {
		return chat.Errorf(chat.CodeConflict, "this name looks like another's; choose another")
	}
	return err
}

const sqlUsers = `SELECT u.id, u.name, u.owner, u.name_key, u.password, u.created_at FROM users u `

// userColumns are the destinations of the columns of sqlUsers.
func userColumns(u *auth.User, created *int64) []any {
	return []any{&u.ID, &u.Name, &u.Owner, &u.Key, &u.Hash, created}
}

// UserByKey implements auth.Store.
func (s *Store) UserByKey(ctx context.Context, key string) (auth.User, error) {
	return s.account1(ctx, sqlUsers+`WHERE u.name_key = ? AND u.deactivated_at IS NULL`, key)
}

// User implements auth.Store.
func (s *Store) User(ctx context.Context, id chat.UserID) (auth.User, error) {
	return s.account1(ctx, sqlUsers+`WHERE u.id = ? AND u.deactivated_at IS NULL`, string(id))
}

func (s *Store) account1(ctx context.Context, text string, arg any) (u auth.User, err error) {
	err = s.view(ctx, "reading a user", func(v *view) error {
		var created int64
		ok, err := v.row(userColumns(&u, &created), text, arg)
		if err == nil && !ok {
			return chat.ErrNotFound
		}
		u.Created = time.UnixMilli(created).UTC()
		return err
	})
	return u, err
}

// SetPassword implements auth.Store.
func (s *Store) SetPassword(ctx context.Context, id chat.UserID, old, hash string) error {
	return s.account(ctx, "changing a password", func(c *change) error {
		return c.exec(`UPDATE users SET password = ? WHERE id = ? AND password = ?`, hash, string(id), old)
	})
}

// AddInvite implements auth.Store.
func (s *Store) AddInvite(ctx context.Context, i auth.Invite, now time.Time) error {
	return s.account(ctx, "keeping an invite", func(c *change) error {
		by, ok, err := c.person(i.By)
		if err != nil {
			return err
		}
		if !ok {
			return chat.ErrNotFound
		}
		return errors.Join(
			c.exec(`DELETE FROM invites WHERE uses < 1 OR expires <= ?`, now.UnixMilli()),
			c.exec(`INSERT INTO invites (secret, by_user, expires, uses) VALUES (?, ?, ?, ?)`,
				i.Secret[:], by.num, i.Expires.UnixMilli(), i.Uses))
	})
}

// Redeem implements auth.Store.
func (s *Store) Redeem(ctx context.Context, invite auth.Digest, u auth.User, now time.Time) error {
	return s.account(ctx, "taking up an invite", func(c *change) error {
		n, err := c.changed(`UPDATE invites SET uses = uses - 1 WHERE secret = ? AND uses > 0 AND expires > ?`,
			invite[:], now.UnixMilli())
		if err != nil {
			return err
		}
		if n == 0 {
			return chat.Errorf(chat.CodeGone, "this invite is not good any more; ask for a new one")
		}
		return c.addUser(u) // when refused, the use is not taken either
	})
}
