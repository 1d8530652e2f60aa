package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// show takes a new View. What does not wait for the next frame is done here, as frames
// are rare while the page is hidden.
func (s *shell) show(ctx app.Context, v *model.View) {
	before := s.view
	s.view = v
	if v.Room != nil {
		s.members.see(v.Room.Members)
	}
	if v.Session == model.SignedIn {
		s.door = false
	}
	if before != nil && before.Session == model.SignedIn && v.Session == model.SignedOut {
		s.invite, s.dialog = invitation{}, dialogOf{}
		s.keepRoom("")
		ctx.Navigate(below("/"))
	}
	title := s.w.App
	if v.Room != nil && s.inApp() {
		title = s.roomName(v.Room.Kind, v.Room.Name) + " · " + title
	}
	if said := fmt.Sprint(v.Unread, title); said != s.titled { // the browser has others told, which takes it time
		s.titled = said
		setUnread(title, v.Unread)
	}
	s.settle(ctx)
}

func (s *shell) OnNav(ctx app.Context) {
	if s.do == nil {
		return
	}
	s.place = placeOf(ctx.Page().URL())
	s.copied = "" // whoever was to take it back may be gone with the page before
	s.stepped = s.stepped && s.place.people
	s.settle(ctx)
}

// settle brings the room that the engine keeps open in line with the address.
func (s *shell) settle(ctx app.Context) {
	if s.view == nil || !s.inApp() {
		return
	}
	want := s.place.room
	switch s.place.kind {
	case atSetup, atJoin:
		s.landing = true
		ctx.Navigate(below("/"))
		return
	case atHome:
		if len(s.view.Rooms) == 0 {
			return
		}
		if first := s.firstRoom(); s.landing {
			s.landing, s.landed = false, true
			ctx.Navigate(roomPath(first))
			return
		} else if !s.narrow {
			want = first
		}
	case atSettings, atLab:
		want = s.asked
	case atRoom:
	}
	if want != s.asked {
		s.asked = want
		s.do.Open(want)
	}
	if want != "" && s.place.kind == atRoom {
		s.keepRoom(want)
	}
}

// keepRoom stores which room to begin with; "" forgets it.
func (s *shell) keepRoom(id chat.RoomID) {
	if s.kept != id || id == "" {
		s.kept = id
		store("room", string(id))
	}
}

// firstRoom returns the room to begin with: the last one, if it is still there.
func (s *shell) firstRoom() chat.RoomID {
	last := chat.RoomID(stored("room"))
	for _, r := range s.view.Rooms {
		if r.ID == last {
			return last
		}
	}
	return s.view.Rooms[0].ID
}

func (s *shell) OnResize(ctx app.Context) {
	if s.do == nil {
		return
	}
	if now := matches(narrow); now != s.narrow {
		s.narrow = now
		s.settle(ctx)
	}
}
