package sqlite

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// sqlHead finds the position of the newest event.
const sqlHead = `SELECT coalesce(max(pos), 0) FROM events`

// sqlEvents begins every query that yields events; scanEvent reads them.
const sqlEvents = `SELECT e.pos, r.id, e.seq, u.id, e.at, e.nonce, e.body
FROM events e CROSS JOIN rooms r ON r.num = e.room CROSS JOIN users u ON u.num = e.sender
`

func scanEvent(s scan) (hub.Logged, error) {
	var (
		pos, seq, at int64
		room, from   string
		nonce        sql.NullString
		body         sql.RawBytes
	)
	if err := s(&pos, &room, &seq, &from, &at, &nonce, &body); err != nil {
		return hub.Logged{}, err
	}
	l := hub.Logged{Pos: hub.Pos(pos), Event: chat.Event{
		Room: chat.RoomID(room), Seq: chat.Seq(seq), From: chat.UserID(from),
		At: time.UnixMilli(at).UTC(), Nonce: chat.Nonce(nonce.String),
	}}
	if body == nil {
		return l, nil // deleted
	}
	if err := json.Unmarshal(body, &l.Event.Body); err != nil {
		return l, fmt.Errorf("the body of event %d: %w", pos, err)
	}
	return l, nil
}

// kind names the one field of b that is set, as in JSON; "" when b is not to be stored.
func kind(b chat.Body) string {
	switch {
	case b.Message != nil:
		return "message"
	case b.Edit != nil:
		return "edit"
	case b.Delete != nil:
		return "delete"
	case b.Member != nil:
		return "member"
	case b.Change != nil:
		return "change"
	case b.Read != nil:
		return "read"
	}
	return ""
}

// hashed shortens what a draft said to what tells it from another of the same nonce.
func hashed(what ...[]byte) []byte {
	var b []byte
	for _, w := range what {
		b = append(append(strconv.AppendInt(b, int64(len(w)), 10), ' '), w...)
	}
	h := sha256.Sum256(b)
	return h[:16]
}
