package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// shownMembers is how many members the pane draws; a field finds the others.
const shownMembers = 200

// context is the pane beside the room: what it is about and who is in it.
func (s *shell) context() app.UI {
	if !s.paneOpen() {
		return nil
	}
	r := s.view.Room
	return &members{Key: membersKey{Room: r.ID, Name: r.Name, Topic: r.Topic, Members: s.members.version, Lang: s.w.Lang}, s: s}
}

type members struct {
	app.Compo
	Key   membersKey
	s     *shell
	query string
}

type membersKey struct {
	Room        chat.RoomID
	Name, Topic string
	Members     uint64
	Lang        string
}

func (m *members) CompoID() string { return string(m.Key.Room) }

func (m *members) Render() app.UI {
	r, w := m.s.view.Room, m.s.w
	if r == nil {
		return app.Aside().Class("context")
	}
	return app.Aside().Class("context").ID("members").TabIndex(-1).Aria("label", w.People.Title).Body(
		app.Div().Class("context-head").Body(
			app.H2().Text(w.People.Title),
			app.Span().Class("quiet").Text(len(r.Members)),
			iconButton("x", w.Room.HideMembers, m.s.onPane),
		),
		app.Div().Class("context-body").Body(
			m.about(r),
			app.Div().Class("context-actions").Body(m.actions(r)...),
			m.people(r),
		),
	)
}

func (m *members) about(r *model.RoomView) app.UI {
	if r.Topic == "" {
		return app.Div().Class("about none")
	}
	return app.Div().Class("about").Body(app.H3().Text(m.s.w.People.About), app.P().Text(r.Topic))
}

func (m *members) actions(r *model.RoomView) []app.UI {
	w := m.s.w.People
	if r.Kind == chat.Direct || r.Kind == chat.Self {
		return nil
	}
	return []app.UI{
		app.Button().Type("button").Class("button quiet-button").Body(icon("user-plus"), app.Span().Text(w.Add)).
			OnClick(m.s.opens(dialogOf{Kind: addDialog, Room: r.ID}), app.EventScope(string(r.ID))),
		app.Button().Type("button").Class("button quiet-button").Body(icon("door-open"), app.Span().Text(w.Leave)).
			OnClick(m.s.opens(dialogOf{Kind: leaveDialog, Room: r.ID}), app.EventScope(string(r.ID))),
	}
}

// people are the members, who is here first.
func (m *members) people(r *model.RoomView) app.UI {
	w := m.s.w
	var here, away []app.UI
	for _, online := range []bool{true, false} {
		for _, p := range r.Members {
			if p.Online != online || len(here)+len(away) >= shownMembers || !matchesName(p.Name, m.query) {
				continue
			}
			if online {
				here = append(here, m.person(r, p))
			} else {
				away = append(away, m.person(r, p))
			}
		}
	}
	var find app.UI = app.Div().Class("find none")
	if len(r.Members) > 12 {
		find = app.Div().Class("find").Body(icon("search"),
			app.Input().Type("search").Placeholder(w.Dialog.FindPerson).Aria("label", w.Dialog.FindPerson).AutoComplete(false).OnInput(m.onFind))
	}
	return app.Div().Class("people").Body(find, people(w.People.Here, here), people(w.People.Away, away))
}

func people(title string, rows []app.UI) app.UI {
	if len(rows) == 0 {
		return app.Div().Class("people-group none")
	}
	return app.Div().Class("people-group").Body(
		app.H3().Body(app.Text(title), app.Span().Class("quiet").Text(len(rows))),
		app.Ul().Body(rows...),
	)
}

func (m *members) person(r *model.RoomView, p model.Person) app.UI {
	w, me := m.s.w, m.s.view.Me.ID
	name := app.Span().Class("person-name").Body(app.Span().Text(p.Name))
	if p.ID == me {
		name = app.Span().Class("person-name").Body(app.Span().Text(p.Name), app.Span().Class("quiet").Text("("+w.You+")"))
	}
	sign := app.Span().Class("sign none")
	switch {
	case p.Owner:
		sign = app.Span().Class("sign").Title(w.People.Owner).Attr("role", "img").Aria("label", w.People.Owner).Body(icon("crown"))
	case p.ID == r.Creator && r.Kind != chat.Direct:
		sign = app.Span().Class("sign").Title(w.People.Creator).Attr("role", "img").Aria("label", w.People.Creator).Body(icon("key-round"))
	}
	row := app.Li().Class("person")
	face := app.Span().Class("face").Body(avatar(p.ID, p.Name), m.s.presence(p.Online))
	var talk, remove app.UI
	if p.ID != me {
		if r.Kind != chat.Direct {
			talk = iconButton("message-circle", say(w.People.Message, "name", p.Name), m.s.talksTo(p.ID), string(p.ID))
		}
		if r.Creator == me && r.Kind != chat.Direct {
			remove = iconButton("user-minus", w.People.Remove, m.s.opens(dialogOf{Kind: removeDialog, Room: r.ID, User: p.ID}), string(p.ID), "remove")
		}
	}
	return row.Body(face, name, sign, app.Span().Class("person-actions").Body(talk, remove))
}

func (m *members) onFind(ctx app.Context, _ app.Event) {
	m.query = ctx.JSSrc().Get("value").String()
}

// talksTo opens the direct room with someone.
func (s *shell) talksTo(id chat.UserID) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		ask := chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: chat.Direct, Members: []chat.UserID{id}}
		ctx.Async(func() {
			room, err := s.do.NewRoom(ctx, ask)
			ctx.Dispatch(func(ctx app.Context) {
				if err != nil {
					s.dialog = dialogOf{Kind: troubleDialog, Note: s.w.fault(err)}
					return
				}
				s.enter(ctx, room.ID)
			})
		})
	}
}

// enter goes into a room that has just been made or joined.
func (s *shell) enter(ctx app.Context, id chat.RoomID) {
	ctx.Navigate(roomPath(id))
}
