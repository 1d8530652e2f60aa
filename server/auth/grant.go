package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/app/chat"
)

// tokenPrefix lets people and scanners see what a token is.
const tokenPrefix = "parley_"

// An Identity is who asks: a user, by a grant.
type Identity struct {
	User    chat.User
	Grant   string // its ID
	Token   bool   // by a program's token, which may only chat
	created time.Time
	secret  Digest
}

// Authenticate answers whose secret this is: chat.ErrUnauthorized if nobody's. Every way in
// uses it. token says how the secret was shown: that of a token is no good as a
// session's, nor the reverse.
func (a *Accounts) Authenticate(ctx context.Context, secret string, token bool) (Identity, error) {
	if secret == "" || token != strings.HasPrefix(secret, tokenPrefix) {
		return Identity{}, chat.ErrUnauthorized
	}
	g, u, err := a.grant(ctx, digest(secret))
	if err != nil {
		return Identity{}, err
	}
	if g.Token != token {
		return Identity{}, chat.ErrUnauthorized
	}
	if now := a.now(); now.Sub(g.Seen) > touchEvery && now.UnixNano() >= a.noteFrom.Load() {
		// The asker may be gone before this is written; their session was used all the same. If it can not be
		// written, as on a full disk, they may still read; Tend, which fails too, says why.
		if _, err := a.store.Touch(context.WithoutCancel(ctx), now.Truncate(time.Millisecond), g.ID); err != nil {
			a.noteFrom.Store(now.Add(noteAgain).UnixNano())
		} else {
			a.known.forget(g.ID) // it says when it was last used
		}
	}
	return Identity{User: u.User, Grant: g.ID, Token: g.Token, created: g.Created, secret: g.Secret}, nil
}

// person refuses what a token may not do.
func (i Identity) person() error {
	if i.Token {
		return chat.Errorf(chat.CodeForbidden, "a token may only chat; sign in with a browser for this")
	}
	return nil
}

// Begin opens a session for a user and returns its secret, which is told once.
func (a *Accounts) Begin(ctx context.Context, u chat.UserID, browser string) (string, error) {
	s := secret()
	_, err := a.add(ctx, u, s, browser, false)
	return s, err
}

// NewToken draws a token for a program of by's.
func (a *Accounts) NewToken(ctx context.Context, by Identity, name string) (chat.Token, error) {
	if err := by.person(); err != nil {
		return chat.Token{}, err
	}
	return a.tokenFor(ctx, by.User.ID, name)
}

// TokenFor draws a token for the user of a name, on the word of whoever runs the server.
func (a *Accounts) TokenFor(ctx context.Context, user, name string) (chat.Token, error) {
	u, err := a.store.UserByKey(ctx, NameKey(user))
	if err != nil {
		return chat.Token{}, err
	}
	return a.tokenFor(ctx, u.ID, name)
}

func (a *Accounts) tokenFor(ctx context.Context, u chat.UserID, name string) (chat.Token, error) {
	if clean := chat.CleanName(name); clean == "" || clean != name || utf8.RuneCountInString(name) > chat.MaxName {
		return chat.Token{}, chat.Errorf(chat.CodeInvalid, "a token needs a name of 1 to %d plain characters", chat.MaxName)
	}
	s := tokenPrefix + secret()
	g, err := a.add(ctx, u, s, name, true)
	return chat.Token{ID: g.ID, Name: name, Token: s}, err
}

func (a *Accounts) add(ctx context.Context, u chat.UserID, s, name string, token bool) (Grant, error) {
	now := a.now().Truncate(time.Millisecond)
	g := Grant{ID: chat.NewID[string](), Secret: digest(s), User: u, Token: token, Name: name, Created: now, Seen: now}
	keep := maxSessions
	if token {
		keep = maxTokens
	}
	ended, err := a.store.AddGrant(ctx, g, keep)
	if err != nil {
		return Grant{}, err
	}
	a.ended(ended...)
	return g, nil
}

// Sessions lists what may act as by's user.
func (a *Accounts) Sessions(ctx context.Context, by Identity) ([]chat.Session, error) {
	if err := by.person(); err != nil {
		return nil, err
	}
	grants, err := a.store.Grants(ctx, by.User.ID)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	list := make([]chat.Session, 0, len(grants))
	for _, g := range grants {
		if a.stale(g) {
			continue
		}
		list = append(list, chat.Session{ID: g.ID, Name: g.Name, Token: g.Token,
			Current: g.ID == by.Grant, Created: g.Created.UTC(), Seen: g.Seen.UTC()})
	}
	return list, nil
}

// Revoke ends a grant of by's user, and what is open by it. Any grant may end itself.
func (a *Accounts) Revoke(ctx context.Context, by Identity, id string) error {
	if id != by.Grant {
		if err := by.person(); err != nil {
			return err
		}
	}
	if err := a.store.EndGrant(ctx, by.User.ID, id); err != nil {
		return err
	}
	a.ended(id)
	return nil
}

// Still reports whether id's grant still is good: chat.ErrUnauthorized if not. What opens a
// stream asks again after it entered Live, so that no revocation falls between.
func (a *Accounts) Still(ctx context.Context, id Identity) error {
	_, _, err := a.grant(ctx, id.secret)
	return err
}

// grant reads a grant that is good, from what is known or from the store.
func (a *Accounts) grant(ctx context.Context, secret Digest) (Grant, User, error) {
	g, u, as, ok := a.known.find(secret, a.now())
	if !ok {
		var err error
		g, u, err = a.store.Grant(ctx, secret)
		if errors.Is(err, chat.ErrNotFound) {
			return g, u, chat.ErrUnauthorized
		}
		if err != nil {
			return g, u, fmt.Errorf("read session: %w", err)
		}
		a.known.keep(g, u, as, a.now())
	}
	if a.stale(g) {
		return g, u, chat.ErrUnauthorized
	}
	return g, u, nil
}

// ended makes an end in the store an end everywhere. What is known goes first: who enters Live
// after that is refused by Still, and who entered before is ended.
func (a *Accounts) ended(grants ...string) {
	a.known.forget(grants...)
	a.Live.End(grants...)
}

func (a *Accounts) stale(g Grant) bool {
	now := a.now()
	return !g.Token && (now.Sub(g.Seen) > idle || now.Sub(g.Created) > absolute)
}

// Tend ends what has expired, with what is open by it, and notes that what is
// open is in use. Call it about every minute.
func (a *Accounts) Tend(ctx context.Context) error {
	now := a.now().Truncate(time.Millisecond)
	var used []string
	for _, id := range a.Live.open() {
		if id.Token || now.Sub(id.created) <= absolute {
			used = append(used, id.Grant)
		}
	}
	var unnoted error
	for some := range slices.Chunk(used, touchAtOnce) {
		gone, err := a.store.Touch(ctx, now, some...)
		if err != nil {
			unnoted = fmt.Errorf("note sessions in use: %w", err)
			break
		}
		a.known.forget(some...)
		a.ended(gone...) // by another process
	}
	ended, err := a.store.EndStale(ctx, now, now.Add(-idle), now.Add(-absolute))
	if err != nil {
		return errors.Join(unnoted, fmt.Errorf("end expired sessions: %w", err))
	}
	a.ended(ended...)
	return unnoted
}
