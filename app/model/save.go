package model

import (
	"encoding/json"
	"fmt"

	"parley/app/chat"
)

// saved is the part of a model that the server also has. It is a Snapshot of the model's
// own making: events and cursor in one piece, so that neither is kept without the other.
type saved struct {
	Version int           `json:"version"`
	Known   chat.Snapshot `json:"known"`
}

// own is the part of a model that nobody else has.
type own struct {
	Version int                    `json:"version"`
	You     chat.UserID            `json:"you"`
	Out     []*Item                `json:"out,omitempty"`
	Drafts  map[chat.RoomID]string `json:"drafts,omitempty"`
}

// savedVersion changes when what was saved can not be read any more.
const savedVersion = 1

// Save returns what is known: the newest of each room, and the cursor past it.
func (m *Model) Save() ([]byte, error) {
	s := chat.Snapshot{You: m.you, Self: m.self, Cursor: m.cursor}
	for _, u := range m.users {
		s.Users = append(s.Users, u)
	}
	for u := range m.online {
		s.Online = append(s.Online, u)
	}
	for _, r := range m.rooms {
		c := chat.Room{
			ID: r.id, Kind: r.kind, Name: r.name, Topic: r.topic, Creator: r.creator, Members: r.members,
			Head: r.head, Read: r.read, Unread: r.unread, Events: r.log, More: r.more,
		}
		if cut := len(c.Events) - keepSaved; cut > 0 {
			c.Events, c.More = c.Events[cut:], true
		}
		s.Rooms = append(s.Rooms, c)
	}
	return json.Marshal(saved{savedVersion, s})
}

// SaveOwn returns what the user wrote and is in no log.
func (m *Model) SaveOwn() ([]byte, error) {
	return json.Marshal(own{savedVersion, m.you, m.out, m.drafts})
}

// Load takes in what Save and SaveOwn returned, into a model that knows nothing.
// What can not be read is left out, and said.
func (m *Model) Load(known, mine []byte) error {
	var s saved
	err := json.Unmarshal(known, &s)
	switch {
	case err != nil:
		err = fmt.Errorf("reading what was known: %w", err)
	case s.Version != savedVersion || s.Known.You == "" || s.Known.Cursor == "":
		err = fmt.Errorf("what was known is of version %d", s.Version)
	default:
		m.Reset(s.Known)
	}
	if len(mine) > 0 {
		m.Adopt(mine)
	}
	return err
}
