package client

import (
	"errors"
	"time"

	"parley/app/chat"
)

// A backoff says how long to wait after each failure in a row: a random part of
// a span that doubles, so that many clients do not come back together.
type backoff struct {
	rand func() float64
	n    int
}

const (
	backoffFirst = 300 * time.Millisecond
	backoffMost  = 30 * time.Second
	stable       = 60 * time.Second // what lasted so long has not failed in a row
)

// next is how long to wait now; never shorter than what the server asked for.
func (b *backoff) next(err error) time.Duration {
	span := backoffMost
	if b.n < 7 {
		span = min(span, backoffFirst<<b.n)
	}
	b.n++
	d := time.Duration(b.rand() * float64(span))
	if e, ok := errors.AsType[*chat.Error](err); ok {
		d = max(d, min(e.RetryAfter(), time.Hour))
	}
	return d
}

func (b *backoff) reset() { b.n = 0 }

// A sleeper notices that the machine slept: what failed meanwhile says nothing about the network.
type sleeper struct {
	wall time.Time // by the wall clock, which goes on in sleep
	mono time.Time // by the clock that may not
	woke time.Time
}

const (
	sleptFor  = 90 * time.Second // without a single alarm, though there is one at least every 30 s
	clocksOff = 5 * time.Second  // between the two clocks
	drowsy    = 10 * time.Second // after waking
)

// notice takes the time and reports whether there was a sleep since it did so last.
func (s *sleeper) notice(wall, mono time.Time) bool {
	if s.mono.IsZero() {
		s.wall, s.mono = wall, mono
		return false
	}
	w, m := wall.Round(0).Sub(s.wall.Round(0)), mono.Sub(s.mono)
	s.wall, s.mono = wall, mono
	if m < sleptFor && w-m < clocksOff {
		return false
	}
	s.woke = mono
	return true
}

// justWoke reports whether what fails now may be blamed on the sleep.
func (s *sleeper) justWoke(mono time.Time) bool {
	return !s.woke.IsZero() && mono.Sub(s.woke) < drowsy
}
