package ui

import (
	"fmt"
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
	"parley/app/text"
)

// A row is one line of a timeline.
type row struct {
	app.Compo
	Row    model.Row
	Active bool   // pointed at, or with the focus: its toolbar is shown
	Room   string // its name, for the sentences about it; "" of a direct one, which nobody made

	s     *shell
	fresh bool // came while the room was open: it fades in
}

const (
	freshFor  = 3 * time.Second
	recentFor = time.Minute // as long one's own message shows, without asking, that it was sent
	copiedFor = 2 * time.Second
)

// rowID names a row in the page.
func rowID(r model.Row) string {
	switch {
	case r.Seq == 0:
		return "p-" + string(r.Nonce)
	case r.Kind == model.RowMessage:
		return fmt.Sprintf("m-%d", r.Seq)
	}
	return fmt.Sprintf("x-%d-%d", r.Seq, r.Kind)
}

func (r *row) OnInit() { r.fresh = !r.Row.Mine && time.Since(r.Row.At) < freshFor }

// Render draws the row. A fault in one costs that one: it is in the log and comes again with every start.
func (r *row) Render() (ui app.UI) {
	defer func() {
		if p := recover(); p != nil {
			app.Window().Get("console").Call("error", fmt.Sprint("parley: ", p))
			ui = app.Div().Class("notice").ID("%s", rowID(r.Row)).Body(app.Span().Text(r.s.w.Row.Broken))
		}
	}()
	return r.draw()
}

func (r *row) draw() app.UI {
	if r.Row.Kind != model.RowMessage {
		return r.notice()
	}
	w := r.s.w
	nodes := text.Parse(r.Row.Text)
	clock := r.s.dates.Clock(r.Row.At)
	class := []string{"row"}
	for _, c := range []struct {
		is   bool
		name string
	}{{r.Row.First, "first"}, {r.Row.Mine, "mine"}, {r.Active, "active"}, {r.fresh, "fresh"}, {r.Row.Deleted, "deleted"},
		{r.Row.Mine && time.Since(r.Row.At) < recentFor, "recent"},
		{r.Row.State == model.Failed, "failed"}, {r.Row.State == model.Sending || r.Row.State == model.Queued, "pending"}} {
		if c.is {
			class = append(class, c.name)
		}
	}
	said := text.PlainOf(nodes, 400)
	if r.Row.Deleted {
		said = w.Row.Deleted
	}
	el := app.Article().Class(class...).ID("%s", rowID(r.Row)).TabIndex(-1).DataSet("seq", int64(r.Row.Seq)).
		Aria("label", r.Row.Name+": "+said+", "+clock+r.stateWord())
	gutter := app.Div().Class("gutter")
	body := app.Div().Class("body")
	stamp := app.Time().Text(clock)
	if r.Active {
		stamp.Title(r.s.dates.Full(r.Row.At))
	}
	var head app.UI
	if r.Row.First {
		gutter.Body(avatar(r.Row.From, r.Row.Name))
		head = app.Div().Class("who").Body(app.Span().Class("name").Text(r.Row.Name), stamp)
	} else {
		gutter.Body(stamp)
	}
	return el.Body(gutter, body.Body(head, r.content(nodes), r.trouble()), r.toolbar())
}

func (r *row) content(nodes []text.Node) app.UI {
	w := r.s.w.Row
	if r.Row.Deleted {
		return app.Div().Class("text tombstone").Body(app.P().Text(w.Deleted))
	}
	box := app.Div().Class("text").Dir("auto")
	if text.Chinese(r.Row.Text) {
		box.Lang("zh-CN")
	} else if r.s.w.Lang != "en" {
		box.Lang("und")
	}
	body := r.s.message(nodes)
	return box.Body(append(body, app.Span().Class("after").Body(r.edited(), r.mark()))...)
}

func (r *row) edited() app.UI {
	if !r.Row.Edited {
		return nil
	}
	return app.Span().Class("edited").Text("(" + r.s.w.Row.Edited + ")")
}

// mark says how far one's own message has come.
func (r *row) mark() app.UI {
	w := r.s.w.Row
	sign := func(class, ic, label string) app.UI {
		return app.Span().Class("mark", class).Title(label).Body(icon(ic))
	}
	switch {
	case !r.Row.Mine || r.Row.State == model.Failed:
		return nil
	case r.Row.State == model.Queued:
		return sign("queued", "clock", r.waits())
	case r.Row.State == model.Sending:
		return sign("sending", "clock", w.Sending)
	}
	return sign("sent", "check", w.Sent)
}

// waits says why a message was not sent yet.
func (r *row) waits() string {
	if r.Row.Fault == chat.CodeStorageFull {
		return r.s.w.Fault.StorageFull
	}
	return r.s.w.Row.Queued
}

func (r *row) stateWord() string {
	w := r.s.w.Row
	switch r.Row.State {
	case model.Queued:
		return ", " + r.waits()
	case model.Sending:
		return ", " + w.Sending
	case model.Failed:
		return ", " + w.NotSent
	case model.Sent:
	}
	return ""
}

// trouble is the sentence under a message that was refused, and what can be done.
func (r *row) trouble() app.UI {
	if r.Row.State != model.Failed {
		return nil
	}
	w := r.s.w
	why := w.Row.NotSent
	if c := w.notSent(r.Row.Fault); c != "" {
		why = say(w.Row.NotSentFor, "why", c)
	}
	return app.Div().Class("trouble").Attr("role", "alert").Body(
		icon("circle-alert"),
		app.Span().Text(why),
		app.Button().Type("button").Class("link").Text(w.Retry).OnClick(r.onRetry),
		app.Button().Type("button").Class("link").Text(w.Edit).OnClick(r.onEdit),
		app.Button().Type("button").Class("link").Text(w.Delete).OnClick(r.onDelete),
	)
}

// toolbar is what can be done with a message; it is there for the active one only.
func (r *row) toolbar() app.UI {
	if !r.Active || r.Row.Deleted || r.Row.State != model.Sent {
		return nil
	}
	w := r.s.w
	bar := app.Div().Class("toolbar").Attr("role", "toolbar").Aria("label", w.Row.Actions)
	copyIt := iconButton("copy", w.Row.CopyText, r.onCopy)
	if !r.Row.Mine {
		return bar.Body(copyIt)
	}
	return bar.Body(copyIt, iconButton("pencil", w.Edit, r.onEdit), iconButton("trash-2", w.Delete, r.onDelete))
}

func (r *row) onRetry(app.Context, app.Event) { r.s.do.Retry(r.Row.Nonce) }

func (r *row) onCopy(ctx app.Context, _ app.Event) { r.s.copyOf(ctx, r.Row.Text) }

func (r *row) onEdit(app.Context, app.Event) { r.s.edit(r.Row) }

func (r *row) onDelete(app.Context, app.Event) { r.s.erase(r.Row) }

// edit brings a message back into the composer: a failed one to be sent anew, a sent one to
// be changed.
func (s *shell) edit(r model.Row) {
	if s.compose == nil {
		return
	}
	if r.Seq == 0 {
		s.compose.take(s.do.Discard(r.Nonce))
		return
	}
	s.compose.editing(r.Seq, r.Text)
}

// erase drops what was not sent, and asks before what others have seen.
func (s *shell) erase(r model.Row) {
	if r.Seq == 0 {
		s.do.Discard(r.Nonce)
		return
	}
	s.dialog = dialogOf{Kind: deleteDialog, Room: s.asked, Seq: r.Seq}
}

// notice is a row that is not a message.
func (r *row) notice() app.UI {
	w := r.s.w.Row
	var says string
	switch r.Row.Kind {
	case model.RowDay:
		return app.Div().Class("divider day").ID("%s", rowID(r.Row)).Attr("role", "separator").Body(
			app.Span().Text(r.s.dates.Day(r.Row.At, time.Now())))
	case model.RowNew:
		return app.Div().Class("divider new").ID("first-new").Attr("role", "separator").Body(app.Span().Text(r.s.w.Room.New))
	case model.RowJoined:
		says = say(w.Joined, "user", r.Row.User)
		if r.Row.By != "" {
			says = say(w.AddedBy, "user", r.Row.User, "by", r.Row.By)
		}
	case model.RowLeft:
		says = say(w.Left, "user", r.Row.User)
		if r.Row.By != "" {
			says = say(w.RemovedBy, "user", r.Row.User, "by", r.Row.By)
		}
	case model.RowCreated:
		if r.Room == "" {
			return app.Div().Class("none")
		}
		says = say(w.Created, "by", r.Row.Name, "room", r.Room)
	case model.RowChanged:
		says = say(w.Renamed, "by", r.Row.Name, "room", r.Row.User)
	case model.RowMessage:
	}
	return app.Div().Class("notice").ID("%s", rowID(r.Row)).DataSet("seq", int64(r.Row.Seq)).Body(
		app.Span().Text(says), app.Time().Text(r.s.dates.Clock(r.Row.At)))
}

// lastOwn returns the newest message of one's own that can be edited.
func (s *shell) lastOwn() (model.Row, bool) {
	room := s.view.Room
	if room == nil {
		return model.Row{}, false
	}
	for _, c := range slices.Backward(room.Chunks) {
		for _, r := range slices.Backward(c.Rows) {
			if r.Kind == model.RowMessage && r.Mine && !r.Deleted {
				return r, true
			}
		}
	}
	return model.Row{}, false
}

// rowAt finds a message by its number.
func (s *shell) rowAt(seq chat.Seq) (model.Row, bool) {
	room := s.view.Room
	if room == nil {
		return model.Row{}, false
	}
	for _, c := range room.Chunks {
		for _, r := range c.Rows {
			if r.Kind == model.RowMessage && r.Seq == seq {
				return r, true
			}
		}
	}
	return model.Row{}, false
}
