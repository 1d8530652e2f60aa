package model

import (
	"encoding/json"

	"parley/app/chat"
)

// Adopt takes in what SaveOwn returned, here or elsewhere: it adds to what the user wrote here. What
// there is no place for, as another text is being written in the same room or the room is open
// and may be written in any moment, is the rest, a record like the first; there is none when all
// was taken. What is another user's is left whole.
func (m *Model) Adopt(record []byte) (rest []byte) {
	var o own
	if json.Unmarshal(record, &o) != nil || o.You == "" {
		return nil // it is of no use to anyone
	}
	if o.Version != savedVersion || m.you != "" && m.you != o.You {
		return record
	}
	m.you = o.You // a later Reset says whether it is theirs
	left := own{Version: savedVersion, You: o.You, Drafts: map[chat.RoomID]string{}}
	for _, i := range o.Out {
		switch {
		case i == nil || !i.Draft.Nonce.Valid() || m.item(i.Draft.Nonce) != nil:
		case i.Event != nil && m.logged(*i.Event):
		case len(m.out) >= MaxOutbox:
			left.Out = append(left.Out, i)
		default:
			if i.State == Sending {
				i.State = Queued
			}
			m.out = append(m.out, i)
			m.overlaid(i.Draft)
		}
	}
	for room, text := range o.Drafts {
		if is := m.drafts[room]; is != text && (is != "" || room == m.open) {
			left.Drafts[room] = text
		} else if len(text) <= maxDraft {
			m.drafts[room] = text
		}
	}
	for _, r := range m.rooms {
		for _, e := range r.log {
			if e.From == m.you {
				m.echo(e)
			}
		}
	}
	if len(left.Out) == 0 && len(left.Drafts) == 0 {
		return nil
	}
	if b, err := json.Marshal(left); err == nil {
		return b
	}
	return record
}
