package api

import (
	"net/http"
	"strconv"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// maxCursor bounds what is taken for a cursor: more than the hub ever minted.
const maxCursor = 256

// maxBeat is the longest silence in seconds that a client may ask for; what it gets is never
// longer than what all others get.
const maxBeat = 60

// A carrier is the server's end of a transport.
type carrier struct {
	hold  time.Duration // how long an empty answer is held back; of those that answer once
	beat  time.Duration // of silence before a stream says it is alive
	grace time.Duration // how long its user counts as here after it ended
	open  func(*exchange, carrier, chat.Cursor) error
	bill  *bill
	held  int64 // bytes, by one stream at rest
}

// carriers are the four of them.
func (s *Server) carriers() map[chat.Via]carrier {
	return map[chat.Via]carrier{
		chat.Poll:        {grace: hub.PollGrace, open: s.answer, bill: &bill{}},
		chat.LongPoll:    {grace: hub.PollGrace, hold: s.Hold, open: s.answer, bill: &bill{}},
		chat.EventSource: {beat: s.Beat, open: s.eventSource, bill: &bill{}, held: heldByEvents},
		chat.WebSocket:   {beat: s.Beat, open: s.webSocket, bill: &bill{}, held: heldBySocket},
	}
}

// feed opens the user's feed after a cursor, on the way that was asked for.
func (s *Server) feed(x *exchange) error {
	q := x.r.URL.Query()
	c, ok := s.ways[chat.Via(q.Get("via"))]
	if !ok {
		return chat.Errorf(chat.CodeInvalid, "via is one of poll, longpoll, eventsource and websocket")
	}
	if s.isDraining() {
		return restartError()
	}
	after := q.Get("after")
	if id := x.r.Header.Get("Last-Event-ID"); id != "" {
		after = id
	}
	if len(after) > maxCursor {
		return chat.ErrReset
	}
	if beat := q.Get("beat"); beat != "" {
		n, err := strconv.Atoi(beat)
		if err != nil || n < 1 || n > maxBeat {
			return chat.Errorf(chat.CodeInvalid, "beat is a number of seconds from 1 to %d", maxBeat)
		}
		longest := time.Duration(n) * time.Second
		c.beat = min(c.beat, longest)
		c.hold = min(c.hold, longest*5/6) // to which up to a fifth is added
	}
	// A handler that waits has read its request; the server's bound on reading would end it.
	_ = http.NewResponseController(x.ResponseWriter).SetReadDeadline(time.Time{})
	c.bill.requests.Add(1)
	return c.open(x, c, chat.Cursor(after))
}

// peeks reports whether a poll only looks at what there is, beside the feed that its session has: it neither follows nor comes again.
func peeks(r *http.Request) bool { return r.URL.Query().Get("peek") == "1" }

// batchBytes is how many bytes appendBatch appends.
func batchBytes(entries []*hub.Entry, cursor chat.Cursor) int {
	n := len(`{"cursor":""}`) + len(cursor)
	if len(entries) > 0 {
		n += len(`"events":[],`) + len(entries) - 1
	}
	for _, e := range entries {
		n += len(e.JSON)
	}
	return n
}

// appendBatch appends the JSON of a batch to b.
func appendBatch(b []byte, entries []*hub.Entry, cursor chat.Cursor) []byte {
	b = append(b, '{')
	for i, e := range entries {
		if i == 0 {
			b = append(b, `"events":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, e.JSON...)
	}
	if len(entries) > 0 {
		b = append(b, "],"...)
	}
	b = append(b, `"cursor":"`...)
	b = append(b, cursor...) // which has nothing to escape: the hub minted it
	return append(b, `"}`...)
}
