package auth

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/trustelem/zxcvbn/frequency"
	"golang.org/x/text/unicode/norm"

	"parley/app/chat"
)

const (
	minPassword = 8     // code points
	maxPassword = 1_024 // bytes
	maxHashing  = 4     // hashes at once, each of which takes tens of MiB
	maxWaiting  = 32    // hashes that wait for their turn
)

// Params is what a password hash costs.
type Params struct {
	MemoryKiB uint32
	Passes    uint32
}

// A hasher hashes passwords, a few at a time: each takes tens of MiB, and signing
// in must not be the way to use up the server's memory.
type hasher struct {
	params *argon2id.Params
	decoy  string        // checked for users who do not exist; matches nothing
	slots  chan struct{} // one for each hash that runs
	queued atomic.Int64
	runs   atomic.Uint64
}

func newHasher(p Params) *hasher {
	if p.MemoryKiB == 0 {
		p = Params{MemoryKiB: 46 << 10, Passes: 1}
	}
	a := &argon2id.Params{Memory: p.MemoryKiB, Iterations: p.Passes, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	var salt, key = make([]byte, a.SaltLength), make([]byte, a.KeyLength)
	rand.Read(salt)
	rand.Read(key)
	b64 := base64.RawStdEncoding.EncodeToString
	return &hasher{
		params: a,
		decoy:  fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", a.Memory, a.Iterations, b64(salt), b64(key)),
		slots:  make(chan struct{}, min(runtime.GOMAXPROCS(0), maxHashing)),
	}
}

// Hashes counts the password hashes that ran so far.
func (a *Accounts) Hashes() uint64 { return a.hash.runs.Load() }

func (h *hasher) turn(ctx context.Context) (done func(), err error) {
	if h.queued.Add(1) > int64(maxWaiting+cap(h.slots)) {
		h.queued.Add(-1)
		return nil, &chat.Error{Code: chat.CodeUnavailable, Message: "too many people sign in just now; try again in a moment", RetryAfterMS: 2_000}
	}
	select {
	case h.slots <- struct{}{}:
		h.runs.Add(1)
		return func() { <-h.slots; h.queued.Add(-1) }, nil
	case <-ctx.Done():
		h.queued.Add(-1)
		return nil, ctx.Err()
	}
}

func (h *hasher) make(ctx context.Context, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	hash, err := argon2id.CreateHash(norm.NFC.String(password), h.params)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// check compares a password with a hash, or does as much work when there is
// none: "". stale says that the hash should be made anew.
func (h *hasher) check(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	done, err := h.turn(ctx)
	if err != nil {
		return false, false, err
	}
	defer done()
	none := hash == ""
	if none {
		hash = h.decoy
	}
	ok, p, err := argon2id.CheckHash(norm.NFC.String(password), hash)
	if err != nil {
		return false, false, fmt.Errorf("check a password: %w", err)
	}
	return ok && !none, *p != *h.params, nil
}

//go:embed common.txt
var common string // passwords that everyone tries first beside those of the list, a line each, folded

// firstGuesses is how many of the passwords that people chose most often are refused.
const firstGuesses = 10_000

// guessed reports whether p is among the first guesses of someone who knows the name: a password of many people, one character again
// and again, or the name, or this program's, with digits and signs around.
func guessed(p, name string) bool {
	p = strings.ToLower(p)
	first, _ := utf8.DecodeRuneInString(p)
	bare := NameKey(strings.TrimFunc(p, func(r rune) bool { return !unicode.IsLetter(r) }))
	return slices.Contains(frequency.FrequencyLists["passwords"][:firstGuesses], p) || strings.Contains("\n"+common, "\n"+p+"\n") ||
		strings.Trim(p, string(first)) == "" || bare == "parley" || bare != "" && bare == NameKey(name)
}

func validPassword(p, name string) error {
	switch n := utf8.RuneCountInString(p); {
	case len(p) > maxPassword:
		return &chat.Error{Code: chat.CodeInvalid, Message: "the password is too long", Max: maxPassword, Got: len(p)}
	case n < minPassword:
		return chat.Errorf(chat.CodeInvalid, "a password has at least %d characters; this one has %d", minPassword, n)
	case NameKey(p) == NameKey(name):
		return chat.Errorf(chat.CodeInvalid, "the password is your name; choose another")
	case guessed(p, name):
		return chat.Errorf(chat.CodeInvalid, "this password is one of the first that others would try; choose another")
	}
	return nil
}
