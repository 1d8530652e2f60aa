package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// A confirmation is a question about something that cannot be taken back; without do it
// only tells.
type confirmation struct {
	title, lead, yes string
	do               func(context.Context) error
	after            func(app.Context)
}

func (s *shell) confirmation() confirmation {
	w, d := s.w, s.dialog
	room := s.roomCalled(d.Room)
	switch d.Kind {
	case deleteDialog:
		return confirmation{title: w.Row.DeleteTitle, lead: w.Row.DeleteLead, yes: w.Delete,
			do: func(context.Context) error { s.do.Delete(d.Room, d.Seq); return nil }}
	case leaveDialog:
		lead := w.People.LeaveLead
		if r := s.view.Room; r != nil && r.Kind == chat.Private {
			lead = w.People.LeavePrivate
			if len(r.Members) == 1 {
				lead = w.People.LeaveLast
			}
		}
		return confirmation{title: say(w.People.LeaveTitle, "room", room), lead: lead, yes: w.People.Leave,
			do:    func(ctx context.Context) error { return s.do.Leave(ctx, d.Room) },
			after: func(ctx app.Context) { ctx.Navigate(below("/")) }}
	case removeDialog:
		p, _ := s.person(d.User)
		lead := w.People.RemoveLead
		if s.view.Room != nil && s.view.Room.Kind == chat.Public {
			lead = w.People.RemovePublic
		}
		return confirmation{title: say(w.People.RemoveTitle, "name", p.Name, "room", room), lead: lead, yes: w.People.Remove,
			do: func(ctx context.Context) error { return s.do.Remove(ctx, d.Room, d.User) }}
	case signOutDialog:
		lead := w.Set.SignOutLead
		if s.view.Connection.Outbox > 0 {
			lead += " " + w.Set.SignOutPending
		}
		return confirmation{title: w.Set.SignOut, lead: lead, yes: w.Set.SignOut, do: s.signOut}
	case noDialog, newRoomDialog, browseDialog, directDialog, addDialog, inviteDialog, troubleDialog:
	}
	return confirmation{title: w.App, lead: d.Note}
}

// signOut also forgets what this browser keeps beside the engine's store. The server has the
// browser drop everything; what says nothing of a person but their taste comes back.
func (s *shell) signOut(ctx context.Context) error {
	if err := s.do.SignOut(ctx); err != nil && s.view.Session == model.SignedIn {
		return err
	}
	s.keepRoom("")
	store("lang", s.w.Lang)
	store("theme", s.theme)
	return nil
}

type confirm struct {
	app.Compo
	s    *shell
	ask  confirmation
	task task
}

func (c *confirm) Render() app.UI {
	w := c.s.w
	if c.ask.do == nil {
		return app.Div().Class("dialog-body").Body(app.P().Text(c.ask.lead), app.Div().Class("dialog-foot").Body(
			app.Button().Type("button").Class("button primary").Attr("data-first", "true").Text(w.Close).OnClick(c.onClose)))
	}
	return app.Div().Class("dialog-body").Body(
		app.P().Text(c.ask.lead),
		c.task.alert(),
		app.Div().Class("dialog-foot").Body(
			app.Button().Type("button").Class("button").Text(w.Cancel).OnClick(c.onClose),
			app.Button().Type("button").Class("button danger").ID("confirm").Attr("data-first", "true").Disabled(c.task.busy).Text(c.ask.yes).OnClick(c.onYes),
		),
	)
}

func (c *confirm) onClose(app.Context, app.Event) { closeDialog() }

func (c *confirm) onYes(ctx app.Context, _ app.Event) {
	c.task.run(ctx, c.s, c.ask.do, func(ctx app.Context) {
		closeDialog()
		if c.ask.after != nil {
			c.ask.after(ctx)
		}
	})
}
