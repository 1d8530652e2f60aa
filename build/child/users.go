package child

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/sqlite"
)

// AddUsers makes n users, each with a token, whether the server runs or not. Their names begin with name, and
// they have one password, so that it is hashed once: hashing would take longer than what is to be tested.
func (s *Server) AddUsers(ctx context.Context, name string, n int) (_ []*Account, err error) {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: filepath.Join(s.dir, "data")})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }() //nolint:contextcheck // closing is not given up half-way
	accounts := auth.New(store, auth.Options{})
	all := make([]*Account, n)
	hash := ""
	for i := range all {
		a := &Account{Name: fmt.Sprintf("%s%05d", name, i)}
		if all[i] = a; hash == "" {
			u, err := accounts.Add(ctx, a.Name, "a swarm of clients", false)
			if err != nil {
				return nil, err
			}
			known, err := store.User(ctx, u.ID)
			if err != nil {
				return nil, err
			}
			a.ID, hash = u.ID, known.Hash
		} else {
			a.ID = chat.NewID[chat.UserID]()
			if err := store.AddUser(ctx, auth.User{User: chat.User{ID: a.ID, Name: a.Name}, Key: auth.NameKey(a.Name),
				Hash: hash, Created: time.Now().Truncate(time.Millisecond)}); err != nil {
				return nil, err
			}
		}
		token, err := accounts.TokenFor(ctx, a.Name, "a reader")
		if err != nil {
			return nil, err
		}
		a.Token = token.Token
	}
	return all, nil
}

// Sessions opens a session for each of the accounts, as signing in does, and returns them as who they are then.
func (s *Server) Sessions(ctx context.Context, of []*Account) (_ []*Account, err error) {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: filepath.Join(s.dir, "data")})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }() //nolint:contextcheck // closing is not given up half-way
	accounts := auth.New(store, auth.Options{})
	all := make([]*Account, len(of))
	for i, a := range of {
		secret, err := accounts.Begin(ctx, a.ID, "a browser")
		if err != nil {
			return nil, err
		}
		all[i] = &Account{Name: a.Name, ID: a.ID, Session: secret}
	}
	return all, nil
}

// AddOwner makes the owner of the server, with a session.
func (s *Server) AddOwner(ctx context.Context, name string) (*Account, error) {
	if _, err := s.command(ctx, "correct horse "+name+"\n", "user", "add", name, "--owner"); err != nil {
		return nil, err
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: filepath.Join(s.dir, "data")})
	if err != nil {
		return nil, err
	}
	u, err := store.UserByKey(ctx, auth.NameKey(name))
	if err = errors.Join(err, store.Close()); err != nil { //nolint:contextcheck // closing is not given up half-way
		return nil, err
	}
	list, err := s.Sessions(ctx, []*Account{{Name: name, ID: u.ID}})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}
