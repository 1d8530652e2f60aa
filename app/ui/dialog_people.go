package ui

import (
	"context"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// A picker chooses people: for a direct room, or to bring into the room it names.
type picker struct {
	app.Compo
	s      *shell
	room   chat.RoomID // "" for a direct room
	query  string
	chosen []chat.UserID
	nonce  chat.Nonce
	task   task
}

func (p *picker) OnInit() { p.nonce = chat.NewID[chat.Nonce]() }

// candidates are the people who can be chosen.
func (p *picker) candidates() []model.Person {
	var out []model.Person
	for _, q := range p.s.view.People {
		if q.ID != p.s.view.Me.ID && !p.within(q.ID) {
			out = append(out, q)
		}
	}
	return out
}

// within reports whether someone is in the room already.
func (p *picker) within(id chat.UserID) bool {
	r := p.s.view.Room
	return p.room != "" && r != nil && r.ID == p.room && slices.ContainsFunc(r.Members, func(q model.Person) bool { return q.ID == id })
}

func (p *picker) Render() app.UI {
	w := p.s.w.Dialog
	all := p.candidates()
	lead, none, do := w.DirectLead, w.DirectNone, w.Start
	if p.room != "" {
		lead, none, do = w.AddLead, w.AddNone, w.AddDo
	}
	if len(all) == 0 {
		return app.Div().Class("dialog-body").Body(
			emptyState(p.s.w.App, none, app.Button().Type("button").Class("button primary").Attr("data-first", "true").Text(w.Invite).
				OnClick(p.s.opens(dialogOf{Kind: inviteDialog}))))
	}
	var rows []app.UI
	for _, q := range all {
		if matchesName(q.Name, p.query) && len(rows) < shownMembers {
			rows = append(rows, p.person(q))
		}
	}
	count := ""
	if len(p.chosen) > 0 {
		count = w.Chosen.N(len(p.chosen))
	}
	return app.Form().Class("dialog-body").OnSubmit(p.onSubmit).Body(
		app.P().Class("quiet").Text(lead),
		app.Div().Class("find").Body(icon("search"),
			app.Input().Type("search").Attr("data-first", "true").Placeholder(w.FindPerson).Aria("label", w.FindPerson).AutoComplete(false).OnInput(p.onFind)),
		app.Ul().Class("picks").Body(rows...),
		p.task.alert(),
		app.Div().Class("dialog-foot").Body(
			app.Span().Class("quiet grow").Attr("role", "status").Text(count),
			app.Button().Type("button").Class("button").Text(p.s.w.Cancel).OnClick(p.onClose),
			app.Button().Type("submit").Class("button primary").Disabled(p.task.busy || len(p.chosen) == 0).Text(do),
		),
	)
}

func (p *picker) person(q model.Person) app.UI {
	on := slices.Contains(p.chosen, q.ID)
	id := "pick-" + string(q.ID)
	return app.Li().Body(app.Label().Class("pick").For("%s", id).Body(
		app.Span().Class("face").Body(avatar(q.ID, q.Name), p.s.presence(q.Online)),
		app.Span().Class("pick-text").Body(app.Span().Class("pick-name").Text(q.Name)),
		app.Input().Type("checkbox").ID("%s", id).Checked(on).OnChange(p.toggles(q.ID), app.EventScope(string(q.ID))),
	))
}

func (p *picker) toggles(id chat.UserID) app.EventHandler {
	return func(app.Context, app.Event) {
		if i := slices.Index(p.chosen, id); i >= 0 {
			p.chosen = slices.Delete(p.chosen, i, i+1)
		} else {
			p.chosen = append(p.chosen, id)
		}
	}
}

func (p *picker) onFind(ctx app.Context, _ app.Event) {
	p.query = ctx.JSSrc().Get("value").String()
}

func (p *picker) onClose(app.Context, app.Event) { closeDialog() }

func (p *picker) onSubmit(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if len(p.chosen) == 0 {
		return
	}
	people := slices.Clone(p.chosen)
	to := p.room
	p.task.run(ctx, p.s, func(ctx context.Context) error {
		if p.room == "" {
			made, err := p.s.do.NewRoom(ctx, chat.NewRoom{Nonce: p.nonce, Kind: chat.Direct, Members: people})
			to = made.ID
			return err
		}
		for _, id := range people {
			if err := p.s.do.Add(ctx, p.room, id); err != nil {
				return err
			}
		}
		return nil
	}, func(ctx app.Context) {
		closeDialog()
		p.s.enter(ctx, to)
	})
}
