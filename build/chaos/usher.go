package chaos

import (
	"time"

	"parley/app/chat"
	"parley/build/child"
)

// usherPace is how often a guest comes or goes.
const usherPace = 100 * time.Millisecond

// A seat is a guest's place in a room.
type seat struct {
	guest *child.Account
	room  chat.RoomID
}

// usher is a sender that sends guests out of rooms and brings them back. In the end all are back.
type usher struct {
	*sender
	out map[seat]bool
}

// draft sends a guest out, or brings one back.
func (u *usher) draft() chat.Draft {
	return u.turn(seat{u.w.guests[u.rand.IntN(len(u.w.guests))], u.w.rooms[u.rand.IntN(len(u.w.rooms))]})
}

func (u *usher) turn(s seat) chat.Draft {
	m := &chat.Member{User: u.w.ids[s.guest], State: chat.Left}
	if u.out[s] {
		m.State = chat.Joined
	}
	u.out[s] = !u.out[s]
	return chat.Draft{Nonce: u.nonce(), Room: s.room, Body: chat.Body{Member: m}}
}

// rest brings back who is out.
func (u *usher) rest() []chat.Draft {
	var all []chat.Draft
	for _, g := range u.w.guests {
		for _, room := range u.w.rooms {
			if s := (seat{g, room}); u.out[s] {
				all = append(all, u.turn(s))
			}
		}
	}
	return all
}
