package auth

import (
	"sync"
	"time"
)

// knownFor is how long a grant is believed without asking the store. What ends in
// this process is forgotten at once; this is for what another process may do to the same data.
const knownFor = 5 * time.Second

// known is the grants that were read from the store a moment ago: polls ask for the same
// one again and again.
type known struct {
	mu     sync.Mutex
	grants map[Digest]knownGrant // guarded by mu, as all below
	ids    map[string]Digest
	ends   int // counts what was forgotten
}

type knownGrant struct {
	grant Grant
	user  User
	until time.Time
}

func newKnown() *known {
	return &known{grants: make(map[Digest]knownGrant), ids: make(map[string]Digest)}
}

// find answers what is known of a secret. as is for keep: what ends in between is
// not kept.
func (k *known) find(secret Digest, now time.Time) (g Grant, u User, as int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.grants[secret]
	return e.grant, e.user, k.ends, ok && now.Before(e.until)
}

func (k *known) keep(g Grant, u User, as int, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if as != k.ends {
		return
	}
	if len(k.grants) >= maxKeys {
		clear(k.grants)
		clear(k.ids)
	}
	u.Hash = "" // nobody needs it here
	k.grants[g.Secret] = knownGrant{g, u, now.Add(knownFor)}
	k.ids[g.ID] = g.Secret
}

func (k *known) forget(grants ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ends++
	for _, id := range grants {
		delete(k.grants, k.ids[id])
		delete(k.ids, id)
	}
}
