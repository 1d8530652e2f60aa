package chat

import "time"

// The room that a lab of transports measures in: private, of one person, who writes
// to themself there. It is the same one each time, by its nonce, and screens do not list it.
const (
	LabName        = "parley-lab"
	LabNonce Nonce = "parley-lab"
)

// Lab reports whether r is the room that u's lab measures in.
func (r Room) Lab(u UserID) bool {
	return r.Kind == Private && r.Name == LabName && r.Creator == u && len(r.Members) == 1 && r.Members[0] == u
}

// Costs are what following cost a server since it started, for whoever owns it. Two
// of them tell of the time between, if Node is the same. They are of everybody who follows.
type Costs struct {
	Node       string        `json:"node"` // as in Server
	CPU        time.Duration `json:"cpu_ns,omitzero"`
	Heap       int64         `json:"heap"` // bytes in use now
	Goroutines int           `json:"goroutines"`
	Ways       []WayCost     `json:"ways"` // of each of Vias, in that order
}

// A WayCost is what following one way cost.
type WayCost struct {
	Via      Via           `json:"via"`
	Open     int64         `json:"open"`     // streams, or requests held back, now
	Requests int64         `json:"requests"` // that asked for the feed
	Writes   int64         `json:"writes"`
	Bytes    int64         `json:"bytes"`   // written, on WebSockets with the answers to what was sent
	Work     time.Duration `json:"work_ns"` // from a request to its answer, and writing, without waiting for something to say
	// What those that are open hold now. Goroutines are counted, those of the libraries below among them.
	// Memory is what one holds at rest, as it was measured, for each, and what waits for slow readers.
	Goroutines int64 `json:"goroutines"`
	Memory     int64 `json:"memory"` // bytes of heap and stacks
	// How often a session was given something that had been given what follows the same cursor three times in a row:
	// its client may be unable to get past it.
	Redelivered int64 `json:"redelivered"`
}
