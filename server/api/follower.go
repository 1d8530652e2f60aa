package api

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"parley/app/chat"
)

// followers are the sessions that a fault can name: it is for the owner of a server with --dev alone.
type followers struct {
	mu   sync.Mutex
	seen map[string]follower // by grant; guarded by mu
}

type follower struct {
	chat.Follower
	at time.Time
}

// followed is how long a session counts as there after its last question.
const followed = 2 * time.Minute

// add notes that a feed was asked for, by who does more than peek.
func (f *followers) add(x *exchange, via chat.Via) {
	if _, ok := x.srv.ways[via]; !ok || peeks(x.r) {
		return
	}
	who, now := x.who, time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = make(map[string]follower)
	}
	f.seen[who.Grant] = follower{chat.Follower{Session: who.Grant, User: who.User.Name, Name: browser(x.r.UserAgent()), Via: via}, now}
	if len(f.seen) > 2*chat.MaxFollowers {
		f.trim(now, x.srv.Accounts.Live.Has)
	}
}

// trim forgets who is gone, and of too many those that asked first. f.mu is held.
func (f *followers) trim(now time.Time, open func(grant string) bool) []follower {
	list := make([]follower, 0, len(f.seen))
	for grant, o := range f.seen {
		if now.Sub(o.at) < followed || open(grant) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b follower) int { return b.at.Compare(a.at) })
	list = list[:min(len(list), chat.MaxFollowers)]
	clear(f.seen)
	for _, o := range list {
		f.seen[o.Session] = o
	}
	return list
}

// list tells of them, by the names of the people.
func (f *followers) list(x *exchange) []chat.Follower {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]chat.Follower, 0, len(f.seen))
	for _, o := range f.trim(time.Now(), x.srv.Accounts.Live.Has) {
		o.Current = o.Session == x.who.Grant
		list = append(list, o.Follower)
	}
	slices.SortFunc(list, func(a, b chat.Follower) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Session, b.Session))
	})
	return list
}
