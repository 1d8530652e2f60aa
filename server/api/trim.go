package api

import (
	"sync/atomic"
	"time"
)

// Connections between two looks of a trimmer: so many are a crowd, and so few that the crowd is in.
const (
	crowd    = 500
	crowdIn  = 50
	lookWait = time.Second
)

// A trimmer gives memory back to the system once a crowd has come in. Letting a connection in takes several times what holding it
// does. A server that then has little to do would keep that: the collector runs when as much again was asked for, or after two
// minutes.
type trimmer struct {
	free func()

	came atomic.Int64 // connections since the last look, or since memory was given back
	due  atomic.Bool  // a look is due
}

// arrived counts a connection.
func (t *trimmer) arrived() {
	if t.came.Add(1) >= crowd && t.due.CompareAndSwap(false, true) {
		time.AfterFunc(lookWait, t.look)
	}
}

// look gives memory back, unless more are coming: then it looks again.
func (t *trimmer) look() {
	if t.came.Swap(0) > crowdIn {
		time.AfterFunc(lookWait, t.look)
		return
	}
	t.free()
	t.due.Store(false)
}
