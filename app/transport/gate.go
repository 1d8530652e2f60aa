package transport

import (
	"sync/atomic"

	"parley/app/chat"
)

// A Gate is what all that a program exchanges with the server passes through. It counts,
// and it can be shut, as if there were no network. A nil Gate does neither. Its methods may be called by many at once.
type Gate struct {
	up, down, requests atomic.Int64
	shut               atomic.Bool
}

// Traffic is what has passed a Gate: the contents, without what the network adds to
// them, which browsers do not tell.
type Traffic struct {
	Up, Down int64 // bytes
	Requests int64 // questions, streams and sockets that were opened
}

// Traffic is what has passed until now.
func (g *Gate) Traffic() Traffic {
	if g == nil {
		return Traffic{}
	}
	return Traffic{Up: g.up.Load(), Down: g.down.Load(), Requests: g.requests.Load()}
}

// Shut lets nothing new through, or lets everything through again. What is open stays
// open: whoever shuts the gate ends that.
func (g *Gate) Shut(v bool) {
	if g != nil {
		g.shut.Store(v)
	}
}

// pass counts a request that is about to leave, unless the gate is shut.
func (g *Gate) pass() error {
	if g == nil {
		return nil
	}
	if g.shut.Load() {
		return errShut
	}
	g.requests.Add(1)
	return nil
}

func (g *Gate) sent(n int) {
	if g != nil {
		g.up.Add(int64(n))
	}
}

func (g *Gate) got(n int) {
	if g != nil {
		g.down.Add(int64(n))
	}
}

// errShut comes from no server, but nothing else is to blame for it either.
var errShut = chat.Errorf(chat.CodeUnavailable, "the connection is switched off here, as if there were no network")
