package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"parley/app/chat"
)

// SessionLife is when every session ends at the latest.
const SessionLife = 90 * 24 * time.Hour

// What is kept, and for how long.
const (
	idle        = 14 * 24 * time.Hour // a session not used ends
	absolute    = SessionLife
	maxSessions = 20 // of a user; the oldest ends
	maxTokens   = 50 // of a user; the next is refused
	inviteLife  = 7 * 24 * time.Hour
	inviteUses  = 100
	touchEvery  = 10 * time.Minute // how coarse Grant.Seen is
	noteAgain   = 10 * time.Second // after which it is tried again, when it could not be written
	touchAtOnce = 256              // in one transaction: a commit for each of thousands would be in the way of messages
)

// Accounts is who has an account on this server. Its methods may be called by many at once.
type Accounts struct {
	store    Store
	now      func() time.Time
	hash     *hasher
	throttle *throttle
	known    *known
	noteFrom atomic.Int64 // in nanoseconds; sessions in use are noted then again, as it failed
	Live     *Live        // what is open by which grant
	Limits   *Limits      // how much each may ask
}

// Options are what may be said otherwise; the zero value is what a server uses.
type Options struct {
	Now      func() time.Time // a clock that does not jump; nil is the wall's as it was at the start, and what has passed since
	Password Params           // the cost of a password hash
	Rates    Rates
	Streams  Streams
}

// New returns the accounts in a store.
func New(s Store, o Options) *Accounts {
	if o.Now == nil {
		// Somebody may set the wall's clock meanwhile: sessions shall neither all end then nor last for ever.
		began := time.Now()
		o.Now = func() time.Time { return began.Add(time.Since(began)) }
	}
	return &Accounts{
		store: s, now: o.Now, hash: newHasher(o.Password), throttle: newThrottle(), known: newKnown(),
		Live: newLive(o.Streams), Limits: newLimits(o.Rates),
	}
}

// A Visitor is where a request comes from, as far as it can be trusted.
type Visitor struct {
	IP    netip.Addr
	Local bool // from this machine itself, through no proxy
}

// SetUp says what v would need to claim the server.
func (a *Accounts) SetUp(ctx context.Context, v Visitor) (chat.SetUpState, error) {
	s, err := a.store.SetUp(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("read set-up: %w", err)
	case s.Done:
		return chat.SetUpDone, nil
	case v.Local:
		return chat.SetUpOpen, nil
	}
	return chat.SetUpCode, nil
}

// NewCode draws the code that lets a visitor from elsewhere claim the server; the one
// before is void. Once set-up is done there is none: "".
func (a *Accounts) NewCode(ctx context.Context) (string, error) {
	s, err := a.store.SetUp(ctx)
	if err != nil || s.Done {
		return "", err
	}
	t := rand.Text()
	code := t[:4] + "-" + t[4:8] + "-" + t[8:12] // 60 random bits
	if err := a.store.PutCode(ctx, digest(plainCode(code))); err != nil {
		return "", fmt.Errorf("keep the set-up code: %w", err)
	}
	return code, nil
}

// Claim makes the owner of a server that has none.
func (a *Accounts) Claim(ctx context.Context, v Visitor, c chat.SetUp) (chat.User, error) {
	s, err := a.store.SetUp(ctx)
	if err != nil {
		return chat.User{}, fmt.Errorf("read set-up: %w", err)
	}
	if s.Done {
		return chat.User{}, errClaimed()
	}
	if err := a.throttle.enter(v.IP, "", a.now()); err != nil {
		return chat.User{}, err
	}
	if !v.Local {
		got := digest(plainCode(c.Code))
		if s.Code == (Digest{}) || subtle.ConstantTimeCompare(got[:], s.Code[:]) != 1 {
			return chat.User{}, chat.Errorf(chat.CodeForbidden, "this is not the set-up code; it is in the terminal where the server was started")
		}
	}
	u, err := a.draw(ctx, c.Name, c.Password)
	if err != nil {
		return chat.User{}, err
	}
	u.Owner = true
	if err := a.store.Claim(ctx, u); err != nil {
		return chat.User{}, err
	}
	a.throttle.forgive(v.IP, "")
	return u.User, nil
}

func errClaimed() error {
	return chat.Errorf(chat.CodeGone, "this server has an owner already; ask them for an invite link")
}

// SignUp makes a user by invite.
func (a *Accounts) SignUp(ctx context.Context, v Visitor, s chat.SignUp) (chat.User, error) {
	if err := a.throttle.enter(v.IP, "", a.now()); err != nil {
		return chat.User{}, err
	}
	if err := ownName(s.Name); err != nil {
		return chat.User{}, because(chat.FieldName, err)
	}
	u, err := a.draw(ctx, s.Name, s.Password)
	if err != nil {
		return chat.User{}, err
	}
	if err := a.store.Redeem(ctx, digest(s.Invite), u, a.now()); err != nil {
		return chat.User{}, err
	}
	a.throttle.forgive(v.IP, "")
	return u.User, nil
}

// Add makes a user on the word of whoever runs the server. An owner claims the
// server, if it has none.
func (a *Accounts) Add(ctx context.Context, name, password string, owner bool) (chat.User, error) {
	u, err := a.draw(ctx, name, password)
	if err != nil {
		return chat.User{}, err
	}
	u.Owner = owner
	if owner {
		err = a.store.Claim(ctx, u)
	} else {
		err = a.store.AddUser(ctx, u)
	}
	return u.User, err
}

// SetPassword gives the user of a name another password, on the word of whoever runs the server, and ends their sessions, in a server
// that runs in another process within some minutes. Tokens, which programs have, go on.
func (a *Accounts) SetPassword(ctx context.Context, name, password string) error {
	u, err := a.store.UserByKey(ctx, NameKey(name))
	if err != nil {
		return err
	}
	if err := validPassword(password, u.Name); err != nil {
		return because(chat.FieldPassword, err)
	}
	hash, err := a.hash.make(ctx, password)
	if err != nil {
		return err
	}
	if err := a.store.SetPassword(ctx, u.ID, u.Hash, hash); err != nil {
		return err
	}
	if now, err := a.store.User(ctx, u.ID); err != nil || now.Hash != hash {
		return errors.Join(err, chat.Errorf(chat.CodeConflict, "somebody changed this password meanwhile; try again"))
	}
	grants, err := a.store.Grants(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.Token {
			continue
		}
		if err := a.store.EndGrant(ctx, u.ID, g.ID); err != nil && !errors.Is(err, chat.ErrNotFound) {
			return err
		}
		a.ended(g.ID)
	}
	return nil
}

// because names the field that err refuses.
func because(field string, err error) error {
	e, ok := errors.AsType[*chat.Error](err)
	if !ok {
		return err
	}
	named := *e
	named.Field = field
	return &named
}

func (a *Accounts) draw(ctx context.Context, name, password string) (User, error) {
	if err := validName(name); err != nil {
		return User{}, because(chat.FieldName, err)
	}
	if err := validPassword(password, name); err != nil {
		return User{}, because(chat.FieldPassword, err)
	}
	hash, err := a.hash.make(ctx, password)
	if err != nil {
		return User{}, err
	}
	return User{
		User: chat.User{ID: chat.NewID[chat.UserID](), Name: name},
		Key:  NameKey(name), Hash: hash, Created: a.now().Truncate(time.Millisecond),
	}, nil
}

// SignIn answers the user whose name and password these are. What is wrong, it does
// not say, nor does it show in how much work it takes.
func (a *Accounts) SignIn(ctx context.Context, v Visitor, s chat.SignIn) (chat.User, error) {
	if len(s.Password) > maxPassword {
		return chat.User{}, validPassword(s.Password, s.Name)
	}
	key := NameKey(s.Name)
	if err := a.throttle.enter(v.IP, key, a.now()); err != nil {
		return chat.User{}, err
	}
	u, err := a.store.UserByKey(ctx, key)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return chat.User{}, fmt.Errorf("read user: %w", err)
	}
	ok, stale, err := a.hash.check(ctx, s.Password, u.Hash)
	if err != nil {
		return chat.User{}, err
	}
	if !ok {
		return chat.User{}, chat.Errorf(chat.CodeUnauthorized, "the name or the password is wrong")
	}
	a.throttle.forgive(v.IP, key)
	if stale {
		hash, err := a.hash.make(ctx, s.Password)
		if err == nil {
			err = a.store.SetPassword(ctx, u.ID, u.Hash, hash)
		}
		if err != nil {
			return chat.User{}, fmt.Errorf("renew the password hash: %w", err)
		}
	}
	return u.User, nil
}

// NewInvite draws a code that lets new people in. Only the owner may.
func (a *Accounts) NewInvite(ctx context.Context, by Identity) (code string, expires time.Time, err error) {
	if err := by.person(); err != nil {
		return "", time.Time{}, err
	}
	if !by.User.Owner {
		return "", time.Time{}, chat.Errorf(chat.CodeForbidden, "only the owner of this server may invite people to it")
	}
	code, now := secret(), a.now().Truncate(time.Millisecond)
	i := Invite{Secret: digest(code), By: by.User.ID, Expires: now.Add(inviteLife), Uses: inviteUses}
	if err := a.store.AddInvite(ctx, i, now); err != nil {
		return "", time.Time{}, fmt.Errorf("keep the invite: %w", err)
	}
	return code, i.Expires, nil
}

// secret draws 256 random bits.
func secret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func digest(s string) Digest { return sha256.Sum256([]byte(s)) }

// plainCode is a set-up code without what people add or drop when they copy it.
func plainCode(s string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(s))
}
