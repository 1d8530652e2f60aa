package api

import (
	"hash/maphash"
	"sync"

	"golang.org/x/time/rate"

	"parley/app/chat"
)

// A client that fails on something in a batch does not get past it: it comes back with the cursor it had, and is given the same.
// That is found out here. It is no fault by itself, a bad connection does it too, so nothing follows but a count and a line in the log.
const (
	// maxSame is how often in a row a session may be given what comes after one cursor.
	maxSame = 3
	// maxNoted bounds how many sessions are remembered at once.
	maxNoted = 10_000
)

// redeliveries remembers, of each session, the cursor after which it was last given something.
type redeliveries struct {
	seed maphash.Seed
	warn *rate.Limiter

	mu sync.Mutex
	of map[string]noted // guarded by mu; by grant
}

type noted struct {
	cursor uint64 // its hash
	turns  uint8  // deliveries in a row
}

// A visit is one asking for the feed after a cursor, until something is given: what follows on a stream is after other cursors.
type visit struct {
	cursor uint64
	turn   uint8 // which delivery after that cursor, in a row, it would be; 0: there is nothing to note
}

func newRedeliveries() redeliveries {
	return redeliveries{seed: maphash.MakeSeed(), warn: newReports(), of: make(map[string]noted)}
}

// visit begins when a session asks. Several that follow side by side have the same turn, and so do not look like one that comes
// again and again. Who asks for what comes from now on never asks for the same.
func (r *redeliveries) visit(grant string, after chat.Cursor) visit {
	if after == "" {
		return visit{}
	}
	v := visit{maphash.String(r.seed, string(after)), 1}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.of[grant]; n.cursor == v.cursor {
		v.turn = max(n.turns, n.turns+1) // which stays at the most
	}
	return v
}

// given ends v, as a session is given something, and reports whether it had that too often before, and whether this is news.
func (r *redeliveries) given(grant string, v *visit) (again, news bool) {
	n := noted{v.cursor, v.turn}
	v.turn = 0
	r.mu.Lock()
	defer r.mu.Unlock()
	was, known := r.of[grant]
	if !known && len(r.of) >= maxNoted {
		clear(r.of) // who is stuck is noticed a few turns later
	}
	if was.cursor != n.cursor { // it went on meanwhile, elsewhere
		was.turns, n.turns = 0, 1
	}
	n.turns = max(n.turns, was.turns)
	r.of[grant] = n
	return n.turns > maxSame, was.turns <= maxSame
}

// given notes that something is given to the session with that grant, who asked for it at v.
func (s *Server) given(v *visit, grant string, b *bill) {
	if v.turn == 0 {
		return
	}
	again, news := s.again.given(grant, v)
	if !again {
		return
	}
	b.redelivered.Add(1)
	if news && s.again.warn.Allow() {
		s.Log.Warn("a session is given the same again and again: its client may not get past something", "session", grant)
	}
}
