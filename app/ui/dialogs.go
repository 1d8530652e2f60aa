package ui

import (
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// A dialogOf says which dialog is open, and about what.
type dialogOf struct {
	Kind dialogKind
	Room chat.RoomID
	Seq  chat.Seq
	User chat.UserID
	Note string
}

type dialogKind uint8

const (
	noDialog dialogKind = iota
	newRoomDialog
	browseDialog
	directDialog
	addDialog
	inviteDialog
	deleteDialog
	leaveDialog
	removeDialog
	signOutDialog
	troubleDialog
)

// opens makes a handler that opens a dialog.
func (s *shell) opens(d dialogOf) app.EventHandler {
	return func(app.Context, app.Event) { s.dialog = d }
}

// dialogs draws the one that is open.
func (s *shell) dialogs() app.UI {
	frame := func(title string, body app.UI) app.UI {
		return &dialog{Of: s.dialog, Title: title, Lang: s.w.Lang, s: s, body: body}
	}
	w := s.w.Dialog
	switch s.dialog.Kind {
	case newRoomDialog:
		return frame(w.NewRoom, &newRoom{s: s})
	case browseDialog:
		return frame(w.Browse, &browse{s: s})
	case directDialog:
		return frame(w.NewDirect, &picker{s: s})
	case addDialog:
		return frame(say(w.Add, "room", s.roomCalled(s.dialog.Room)), &picker{s: s, room: s.dialog.Room})
	case inviteDialog:
		return frame(w.Invite, &inviteBox{s: s, ask: true})
	case deleteDialog, leaveDialog, removeDialog, signOutDialog, troubleDialog:
		c := s.confirmation()
		return frame(c.title, &confirm{s: s, ask: c})
	case noDialog:
	}
	return nil
}

func (s *shell) roomCalled(id chat.RoomID) string {
	for _, r := range s.view.Rooms {
		if r.ID == id {
			return s.roomName(r.Kind, r.Name)
		}
	}
	return ""
}

// A dialog is the frame around what is asked. The browser keeps the focus inside,
// closes it with Escape and gives the focus back.
type dialog struct {
	app.Compo
	Of    dialogOf
	Title string
	Lang  string
	s     *shell
	body  app.UI // taken when the dialog opens, and lives as long as it
	stops []func()
}

func (d *dialog) OnMount(ctx app.Context) {
	el := d.JSValue()
	el.Call("showModal")
	// On a phone the focus would bring the keyboard up over the dialog.
	if first := el.Call("querySelector", "[data-first]"); first.Truthy() && !matches(touch) {
		first.Call("focus")
	}
	d.stops = []func(){
		listen(el, "close", func(app.Value) {
			ctx.Dispatch(func(app.Context) {
				if d.s.dialog == d.Of {
					d.s.dialog = dialogOf{}
				}
				// What had the focus is gone, or goes in a moment: the toolbar of a message.
				if doc := document(); d.Of.Kind == deleteDialog || doc.Get("activeElement").Equal(doc.Get("body")) {
					d.s.backToWriting()
				}
			})
		}),
		listen(el, "pointerdown", func(e app.Value) {
			if e.Get("target").Equal(el) { // the ground around it
				el.Call("close")
			}
		}),
	}
}

// backToWriting gives the composer the focus, but on a phone, where that would bring the keyboard up.
func (s *shell) backToWriting() {
	if !matches(touch) {
		focus("composer")
	}
}

func (d *dialog) OnDismount() {
	for _, stop := range d.stops {
		stop()
	}
}

func (d *dialog) CompoID() string { return itoa(int(d.Of.Kind)) }

func (d *dialog) Render() app.UI {
	return app.Dialog().Class("dialog").Aria("labelledby", "dialog-title").Body(
		app.Div().Class("dialog-head").Body(
			app.H2().ID("dialog-title").Text(d.Title),
			iconButton("x", d.s.w.Close, d.onClose),
		),
		d.body,
	)
}

func (d *dialog) onClose(app.Context, app.Event) { closeDialog() }

// closeDialog lets the browser close what is open, so that the focus goes back to where it
// was; what follows from it happens at the close event.
func closeDialog() {
	if el := document().Call("querySelector", "dialog[open]"); el.Truthy() {
		el.Call("close")
	}
}

// A task is something the server is asked to do from a dialog or a page: it is busy, and
// then done or told why not.
type task struct {
	busy    bool
	fault   string
	explain func(error) string // says what an error means here; nil is what it means anywhere
}

// run does ask off the screen's turn and then, on it, done if all went well.
func (t *task) run(ctx app.Context, s *shell, ask func(context.Context) error, done func(app.Context)) {
	if t.busy {
		return
	}
	t.busy, t.fault = true, ""
	ctx.Async(func() {
		err := ask(ctx)
		ctx.Dispatch(func(ctx app.Context) {
			t.busy = false
			if err != nil {
				explain := t.explain
				if explain == nil {
					explain = s.w.fault
				}
				t.fault = explain(err)
				return
			}
			done(ctx)
		})
	})
}

// alert shows the fault, in a place that is always there so that it is read out.
func (t *task) alert() app.UI {
	return app.P().Class("alert").Attr("role", "alert").Text(t.fault)
}

func matchesName(name, query string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(strings.TrimSpace(query)))
}
