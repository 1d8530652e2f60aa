package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// header names the open room and what can be done with it.
func (s *shell) header(r *model.RoomView) app.UI {
	label := s.w.Room.ShowMembers
	if s.paneOpen() {
		label = s.w.Room.HideMembers
	}
	return app.Header().Class("room-head").Body(
		app.A().Class("icon-button back-to-list").Href(below("/")).Aria("label", s.w.Back).Body(icon("arrow-left")),
		app.Div().Class("room-title").Body(
			app.Div().Class("room-name").Body(
				app.Span().Class("room-icon face").Body(s.roomFace(r), s.roomPresence(r)),
				app.H1().Text(r.Name),
			),
			app.P().Class("room-topic").Text(r.Topic),
		),
		app.Button().Type("button").Class("chip-button members-button").Aria("label", label+", "+s.w.Room.Members.N(len(r.Members))).Title(label).
			Aria("expanded", s.paneOpen()).OnClick(s.onPane).Body(icon("users"), app.Span().Text(len(r.Members))),
		&chip{Key: s.chipKey(), s: s},
	)
}

// peer is the other in a direct room of two.
func (s *shell) peer(r *model.RoomView) (model.Person, bool) {
	if r.Kind == chat.Direct && len(r.Members) == 2 {
		for _, p := range r.Members {
			if p.ID != s.view.Me.ID {
				return p, true
			}
		}
	}
	return model.Person{}, false
}

func (s *shell) roomFace(r *model.RoomView) app.UI {
	if p, ok := s.peer(r); ok {
		return avatar(p.ID, p.Name)
	}
	return roomIcon(r.Kind)
}

func (s *shell) roomPresence(r *model.RoomView) app.UI {
	p, ok := s.peer(r)
	if !ok {
		return nil
	}
	return s.presence(p.Online)
}

func (s *shell) onPane(ctx app.Context, _ app.Event) {
	switch {
	case !s.narrow:
		s.setPane(!s.paneOpen())
	case s.paneOpen() && s.stepped:
		app.Window().Get("history").Call("back")
	case s.paneOpen():
		ctx.Navigate(roomPath(s.asked))
	default:
		s.stepped = true
		ctx.Navigate(roomPath(s.asked) + "#" + peopleMark)
	}
}

func (s *shell) setPane(open bool) {
	s.pane = open
	if matches(wide) {
		state := "open"
		if !open {
			state = "closed"
		}
		store("pane", state)
	}
}

func (s *shell) paneOpen() bool {
	if s.view.Room == nil || s.place.kind == atSettings {
		return false
	}
	if s.narrow {
		return s.place.people
	}
	return s.pane
}

// typing says who is writing.
func (s *shell) typing(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return say(s.w.Room.Typing1, "a", names[0])
	case 2:
		return say(s.w.Room.Typing2, "a", names[0], "b", names[1])
	}
	return s.w.Room.TypingMany
}

// way names a transport.
func (w *Words) way(v chat.Via) string {
	switch v {
	case chat.WebSocket:
		return w.Conn.WebSocket
	case chat.EventSource:
		return w.Conn.EventSource
	case chat.LongPoll:
		return w.Conn.LongPoll
	case chat.Poll:
		return w.Conn.Poll
	}
	return w.Conn.Auto
}
