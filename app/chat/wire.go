package chat

// A Request is what a client says on a WebSocket: a draft to send, or, without
// one, an echo that measures the way there and back.
type Request struct {
	ID   int64  `json:"id"` // chosen by the client; the answer repeats it
	Send *Draft `json:"send,omitempty"`
}

// A Frame is what a server says on a WebSocket: a batch (Cursor is set), the answer to a
// request (ID is set), with the Event, an Error, or, to an echo, neither; or, before it
// closes with CloseRestart, an Error alone that says when to come back.
type Frame struct {
	Events []Event `json:"events,omitempty"`
	Cursor Cursor  `json:"cursor,omitzero"`
	ID     int64   `json:"id,omitzero"`
	Event  *Event  `json:"event,omitempty"`
	Error  *Error  `json:"error,omitempty"`
}
