package auth

import (
	"net/netip"
	"sync"

	"parley/app/chat"
)

// Streams bound how many streams may be open at once. A zero field is the default.
type Streams struct {
	PerAccount int // 20
	PerIP      int // 100
	All        int // 10,000
}

// Live is what is open by which grant, so that it ends when the grant does.
type Live struct {
	max Streams

	mu      sync.Mutex
	byGrant map[string]*Stream // guarded by mu, as all below; the first of a list
	byUser  map[chat.UserID]int
	byIP    map[netip.Prefix]int
	n       int
}

// A Stream is one thing open: a stream, or an answer held back.
type Stream struct {
	id         Identity
	from       netip.Prefix
	end        func()
	prev, next *Stream
	closed     bool
}

// Grant is the ID of the grant that s was opened by.
func (s *Stream) Grant() string { return s.id.Grant }

func newLive(s Streams) *Live {
	return &Live{
		max:     Streams{PerAccount: or(s.PerAccount, 20), PerIP: or(s.PerIP, 100), All: or(s.All, 10_000)},
		byGrant: make(map[string]*Stream), byUser: make(map[chat.UserID]int), byIP: make(map[netip.Prefix]int),
	}
}

// Open enters a stream, or refuses it. When its grant ends, end is called once; it must not block.
func (l *Live) Open(id Identity, ip netip.Addr, end func()) (*Stream, error) {
	s := &Stream{id: id, from: network(ip), end: end}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.byUser[id.User.ID] >= l.max.PerAccount:
		return nil, tooMany("your account is open in too many places; close one of them", l.max.PerAccount)
	case l.byIP[s.from] >= l.max.PerIP:
		return nil, tooMany("too many connections from your address; close one of them", l.max.PerIP)
	case l.n >= l.max.All:
		return nil, tooMany("too many people are connected just now; try again in a moment", l.max.All)
	}
	l.n++
	l.byUser[id.User.ID]++
	l.byIP[s.from]++
	if s.next = l.byGrant[id.Grant]; s.next != nil {
		s.next.prev = s
	}
	l.byGrant[id.Grant] = s
	return s, nil
}

func tooMany(text string, most int) error {
	return &chat.Error{Code: chat.CodeRateLimited, Message: text, Max: most, RetryAfterMS: 5_000}
}

// Close takes s out; the second time it does nothing.
func (l *Live) Close(s *Stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	l.n--
	drop(l.byUser, s.id.User.ID)
	drop(l.byIP, s.from)
	if s.next != nil {
		s.next.prev = s.prev
	}
	switch {
	case s.prev != nil:
		s.prev.next = s.next
	case s.next != nil:
		l.byGrant[s.id.Grant] = s.next
	default:
		delete(l.byGrant, s.id.Grant)
	}
}

func drop[K comparable](m map[K]int, k K) {
	if m[k]--; m[k] == 0 {
		delete(m, k)
	}
}

// Has reports whether anything is open by a grant.
func (l *Live) Has(grant string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byGrant[grant] != nil
}

// End ends what is open by the grants.
func (l *Live) End(grants ...string) {
	var ends []func()
	l.mu.Lock()
	for _, g := range grants {
		for s := l.byGrant[g]; s != nil; s = s.next {
			ends = append(ends, s.end)
		}
	}
	l.mu.Unlock()
	for _, end := range ends {
		end()
	}
}

// Len counts what is open.
func (l *Live) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// open lists who has something open, each grant once.
func (l *Live) open() []Identity {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]Identity, 0, len(l.byGrant))
	for _, s := range l.byGrant {
		ids = append(ids, s.id)
	}
	return ids
}
