package auth

import (
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/app/chat"
)

// Rates say how much an account may ask, over all of its devices and ways. A zero field is the default.
type Rates struct {
	Send      float64 // drafts a second
	SendBurst int
	Read      float64 // other requests a second
	ReadBurst int
	Feed      float64 // polls of the feed a second: a poll may follow each event
	FeedBurst int
}

// maxKeys bounds how many accounts or addresses are remembered at once.
const maxKeys = 10_000

// Limits is how much each account asked lately.
type Limits struct{ send, read, feed *buckets }

func newLimits(r Rates) *Limits {
	return &Limits{
		send: newBuckets(or(r.Send, 5), or(r.SendBurst, 20)),
		read: newBuckets(or(r.Read, 20), or(r.ReadBurst, 100)),
		feed: newBuckets(or(r.Feed, 100), or(r.FeedBurst, 400)),
	}
}

func or[T comparable](v, d T) T {
	if v == *new(T) {
		return d
	}
	return v
}

// Send counts one draft of u's, or refuses it.
func (l *Limits) Send(u chat.UserID) error { return l.send.take(u, time.Now()) }

// Read counts one other request of u's, or refuses it.
func (l *Limits) Read(u chat.UserID) error { return l.read.take(u, time.Now()) }

// Feed counts one poll of u's feed, or refuses it.
func (l *Limits) Feed(u chat.UserID) error { return l.feed.take(u, time.Now()) }

type buckets struct {
	rate  rate.Limit
	burst int

	mu sync.Mutex
	of map[chat.UserID]*rate.Limiter // guarded by mu
}

func newBuckets(r float64, burst int) *buckets {
	return &buckets{rate: rate.Limit(r), burst: burst, of: make(map[chat.UserID]*rate.Limiter)}
}

func (b *buckets) take(u chat.UserID, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.of[u]
	if l == nil {
		makeRoom(b.of, func(l *rate.Limiter) bool { return l.TokensAt(now) >= float64(b.burst) })
		l = rate.NewLimiter(b.rate, b.burst)
		b.of[u] = l
	}
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	r.CancelAt(now)
	return limited("too much at once; wait a moment", wait)
}

// makeRoom keeps m below maxKeys: it drops what no longer matters, and if that is
// not enough, anything.
func makeRoom[K comparable, V any](m map[K]V, idle func(V) bool) {
	if len(m) < maxKeys {
		return
	}
	for k, v := range m {
		if idle(v) {
			delete(m, k)
		}
	}
	for k := range m {
		if len(m) < maxKeys*9/10 {
			return
		}
		delete(m, k)
	}
}

func limited(text string, wait time.Duration) error {
	return &chat.Error{Code: chat.CodeRateLimited, Message: text, RetryAfterMS: max(1, wait.Milliseconds())}
}

// How often one may try to sign in, sign up or set up and fail.
const (
	perName, perNameTime = 5, 15 * time.Minute // with one name from one address
	perIP, perIPTime     = 30, 15 * time.Minute
	perAll, perAllTime   = 300, time.Minute
)

// A throttle slows down guessing. It counts tries before they run, so that many at once gain
// nothing, and forgets those that turned out right. A name is never locked: its
// user gets in from another address.
type throttle struct {
	mu    sync.Mutex
	tries map[tried]*window // guarded by mu
}

type tried struct {
	from netip.Prefix
	name string
}

type window struct {
	since time.Time
	n     int
	per   time.Duration
}

func newThrottle() *throttle { return &throttle{tries: make(map[tried]*window)} }

// enter counts a try, by name if there is one, or refuses it.
func (t *throttle) enter(ip netip.Addr, name string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	from := network(ip)
	counted := []*window{t.window(tried{}, perAllTime, now), t.window(tried{from: from}, perIPTime, now)}
	limits := []int{perAll, perIP}
	if name != "" {
		counted = append(counted, t.window(tried{from, name}, perNameTime, now))
		limits = append(limits, perName)
	}
	for i, w := range counted {
		if w.n >= limits[i] {
			wait := w.since.Add(w.per).Sub(now)
			return limited("too many tries; wait "+minutes(wait), wait)
		}
	}
	for _, w := range counted {
		w.n++
	}
	return nil
}

// forgive forgets the tries of whoever got it right in the end.
func (t *throttle) forgive(ip netip.Addr, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	from := network(ip)
	if w := t.tries[tried{from: from}]; w != nil && w.n > 0 {
		w.n--
	}
	if w := t.tries[tried{}]; w != nil && w.n > 0 {
		w.n--
	}
	if name != "" {
		delete(t.tries, tried{from, name})
	}
}

func (t *throttle) window(k tried, per time.Duration, now time.Time) *window {
	w := t.tries[k]
	if w == nil {
		makeRoom(t.tries, func(w *window) bool { return now.Sub(w.since) > w.per })
		w = &window{per: per}
		t.tries[k] = w
	}
	if now.Sub(w.since) > per {
		w.since, w.n = now, 0
	}
	return w
}

// network is what counts as one address: of IPv6 a whole /64, which every visitor has.
func network(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil { // not an address: all of those count as one
		return netip.Prefix{}
	}
	return p
}

func minutes(d time.Duration) string {
	if m := int((d + time.Minute - 1) / time.Minute); m > 1 {
		return strconv.Itoa(m) + " minutes"
	}
	return "a minute"
}
