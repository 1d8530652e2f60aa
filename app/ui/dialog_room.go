package ui

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// newRoom asks for the name of a room and who may see it.
type newRoom struct {
	app.Compo
	s       *shell
	private bool
	nonce   chat.Nonce // the same for every try, so that a lost answer makes no second room
	task    task
}

func (n *newRoom) OnInit() { n.nonce = chat.NewID[chat.Nonce]() }

func (n *newRoom) Render() app.UI {
	w := n.s.w.Dialog
	return app.Form().Class("dialog-body").OnSubmit(n.onSubmit).Body(
		field("room-name", w.RoomName, app.Input().ID("room-name").Type("text").Class("input").Attr("data-first", "true").
			Attr("maxlength", chat.MaxRoomName*2).Placeholder(w.RoomNameHint).AutoComplete(false).Dir("auto")),
		app.FieldSet().Class("choices").Body(
			n.kind("kind-public", "hash", w.Public, w.PublicHint, !n.private, n.onPublic),
			n.kind("kind-private", "lock", w.Private, w.PrivateHint, n.private, n.onPrivate),
		),
		n.task.alert(),
		app.Div().Class("dialog-foot").Body(
			app.Button().Type("button").Class("button").Text(n.s.w.Cancel).OnClick(n.onClose),
			app.Button().Type("submit").Class("button primary").Disabled(n.task.busy).Text(w.Create),
		),
	)
}

// kind is one of the two kinds of room, as a card with a radio button.
func (n *newRoom) kind(id, ic, name, hint string, on bool, h app.EventHandler) app.UI {
	return choice("kind", id, ic, name, hint, on, h)
}

// choice is one card of a group of radio buttons. It goes by the click, which keys make too: the browser tells of no change
// when the screen is drawn during the click, by what was chosen a moment before.
func choice(group, id, ic, name, hint string, on bool, h app.EventHandler) app.UI {
	return app.Label().Class("choice").For("%s", id).Body(
		app.Input().Type("radio").Name(group).ID("%s", id).Checked(on).OnClick(h, app.EventScope(id)),
		icon(ic),
		app.Span().Class("choice-text").Body(app.Span().Class("choice-name").Text(name), app.Span().Class("quiet").Text(hint)),
	)
}

// field is an input with its label above.
func field(id, label string, input app.UI) app.UI {
	return app.Div().Class("field").Body(app.Label().For("%s", id).Text(label), input)
}

func (n *newRoom) onPublic(app.Context, app.Event) { n.private = false }

func (n *newRoom) onPrivate(app.Context, app.Event) { n.private = true }

func (n *newRoom) onClose(app.Context, app.Event) { closeDialog() }

func (n *newRoom) onSubmit(ctx app.Context, e app.Event) {
	e.PreventDefault()
	w := n.s.w.Dialog
	name := chat.CleanName(element("room-name").Get("value").String())
	switch {
	case name == "":
		n.task.fault = w.BadRoomName
		return
	case utf8.RuneCountInString(name) > chat.MaxRoomName:
		n.task.fault = say(w.LongRoomName, "max", strconv.Itoa(chat.MaxRoomName))
		return
	}
	ask := chat.NewRoom{Nonce: n.nonce, Kind: chat.Public, Name: name}
	if n.private {
		ask.Kind = chat.Private
	}
	var made chat.Room
	n.task.run(ctx, n.s, func(ctx context.Context) (err error) {
		made, err = n.s.do.NewRoom(ctx, ask)
		return err
	}, func(ctx app.Context) {
		closeDialog()
		n.s.enter(ctx, made.ID)
	})
}

// browse lists the public rooms one may join.
type browse struct {
	app.Compo
	s      *shell
	rooms  []chat.Room
	loaded bool
	task   task
}

func (b *browse) OnMount(ctx app.Context) {
	var rooms []chat.Room
	b.task.run(ctx, b.s, func(ctx context.Context) (err error) {
		rooms, err = b.s.do.Rooms(ctx)
		return err
	}, func(app.Context) { b.rooms, b.loaded = rooms, true })
}

func (b *browse) Render() app.UI {
	w := b.s.w.Dialog
	var rows []app.UI
	for _, r := range b.rooms {
		topic := r.Topic
		if topic == "" {
			topic = b.s.w.Room.Members.N(r.Size)
		}
		rows = append(rows, app.Li().Class("pick").Body(
			app.Span().Class("face").Body(roomIcon(r.Kind)),
			app.Span().Class("pick-text").Body(app.Span().Class("pick-name").Text(r.Name), app.Span().Class("quiet").Text(topic)),
			app.Button().Type("button").Class("button").Disabled(b.task.busy).Text(w.Join).OnClick(b.joins(r.ID), app.EventScope(string(r.ID))),
		))
	}
	var body app.UI = app.Ul().Class("picks").Body(rows...)
	if b.loaded && len(rows) == 0 {
		body = emptyState(w.Browse, w.BrowseNone, nil)
	} else if !b.loaded && b.task.fault == "" {
		body = skeletonRows()
	}
	return app.Div().Class("dialog-body").Body(body, b.task.alert())
}

func (b *browse) joins(id chat.RoomID) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		b.task.run(ctx, b.s, func(ctx context.Context) error { return b.s.do.Join(ctx, id) }, func(ctx app.Context) {
			closeDialog()
			b.s.enter(ctx, id)
		})
	}
}
