package api

import (
	"sync/atomic"
	"time"
)

// Connections between two looks of a relief: so many are a crowd, and so few that the crowd is in.
const (
	crowd    = 500
	crowdIn  = 50
	lookWait = time.Second
)

// A relief gives memory back to the system once a crowd has come in. Letting a connection in takes several times what holding it
// does, and a server with little to do would keep that for minutes: the collector runs when there is garbage to make,
// and afterwards goes on reckoning with as much.
type relief struct {
	free func()

	came atomic.Int64 // connections since the last look, or since memory was given back
	due  atomic.Bool  // a look is due
}

// arrived counts a connection.
func (r *relief) arrived() {
	if r.came.Add(1) >= crowd && r.due.CompareAndSwap(false, true) {
		time.AfterFunc(lookWait, r.look)
	}
}

// look gives memory back, unless more are coming: then it looks again.
func (r *relief) look() {
	if r.came.Swap(0) > crowdIn {
		time.AfterFunc(lookWait, r.look)
		return
	}
	r.free()
	r.due.Store(false)
}
