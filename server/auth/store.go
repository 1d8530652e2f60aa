package auth

import (
	"context"
	"crypto/sha256"
	"time"

	"parley/app/chat"
)

// A Digest is the SHA-256 of a secret that this package drew: of a session, a
// token, an invite or the set-up code. Only digests are kept. The secrets have 256
// random bits (the set-up code, which lives briefly and is throttled, 60), so a plain
// hash is enough.
type Digest [sha256.Size]byte

// A User is an account with what proves it.
type User struct {
	chat.User
	Key     string    // the name folded by NameKey; unique
	Hash    string    // of the password, by argon2id, in PHC form
	Created time.Time // in milliseconds
}

// A Grant lets its bearer act as a user: a session of a browser, or a token of a program.
type Grant struct {
	ID      string // names it to its user; no secret
	Secret  Digest // unique
	User    chat.UserID
	Token   bool
	Name    string    // of the token, or of the browser
	Created time.Time // in milliseconds
	Seen    time.Time // in milliseconds; coarse: see Touch
}

// An Invite lets new people in while uses are left and time has not passed.
type Invite struct {
	Secret  Digest // unique
	By      chat.UserID
	Expires time.Time // in milliseconds
	Uses    int       // how often it may be used yet
}

// A SetUp is how far the server is from having an owner.
type SetUp struct {
	Done bool   // never false again once true, even if no user were left
	Code Digest // of the code that the terminal printed; zero when there is none
}

// A Store keeps accounts. What a returned write says is on disk. Methods may be
// called by many at once, and by other processes on the same data. Each method is one transaction.
// What is not there is chat.ErrNotFound.
type Store interface {
	// SetUp reads how far set-up is.
	SetUp(ctx context.Context) (SetUp, error)
	// PutCode replaces the digest of the set-up code; of no effect once set-up is done.
	PutCode(ctx context.Context, code Digest) error
	// Claim adds u, with u.Owner set, and marks set-up as done and its code as used. When set-up
	// is done already it changes nothing and answers an Error of chat.CodeGone.
	Claim(ctx context.Context, u User) error

	// AddUser adds u. A Key that is taken, or a name that looks like another's, is an Error of chat.CodeConflict.
	AddUser(ctx context.Context, u User) error
	// UserByKey reads the user of a folded name.
	UserByKey(ctx context.Context, key string) (User, error)
	// User reads a user.
	User(ctx context.Context, id chat.UserID) (User, error)
	// SetPassword replaces a user's password hash, if it still is old.
	SetPassword(ctx context.Context, id chat.UserID, old, hash string) error

	// AddInvite adds an invite and forgets those that can not be used at now any more.
	AddInvite(ctx context.Context, i Invite, now time.Time) error
	// Redeem takes one use of an invite that is good at now, and adds u: both or neither. An unknown,
	// used up or expired invite is an Error of chat.CodeGone; what AddUser refuses
	// is an Error of chat.CodeConflict and takes no use.
	Redeem(ctx context.Context, invite Digest, u User, now time.Time) error

	// AddGrant adds g. For a session it then ends the oldest seen sessions of the user beyond keep;
	// for a token beyond keep tokens it adds nothing and answers an Error of chat.CodeTooLarge with
	// Max and Got. It returns the IDs of what ended.
	AddGrant(ctx context.Context, g Grant, keep int) (ended []string, err error)
	// Grant reads the grant of a secret and its user.
	Grant(ctx context.Context, secret Digest) (Grant, User, error)
	// Grants reads the grants of a user, the newest first.
	Grants(ctx context.Context, u chat.UserID) ([]Grant, error)
	// Touch notes that grants were used, and returns the IDs of those that are gone.
	Touch(ctx context.Context, seen time.Time, grants ...string) (gone []string, err error)
	// EndGrant removes a grant of u. One of another user is not there.
	EndGrant(ctx context.Context, u chat.UserID, id string) error
	// EndStale removes sessions last seen before idle or created before oldest, and returns their IDs.
	// Of the others, what is noted as later than now is noted as now: a clock was wrong when it was written.
	EndStale(ctx context.Context, now, idle, oldest time.Time) (ended []string, err error)
}
