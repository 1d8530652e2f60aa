package ui

import (
	"context"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// The account page: who one is, where one is signed in, and the tokens of programs.
type account struct {
	app.Compo
	Key      accountKey
	s        *shell
	sessions []chat.Session
	loaded   bool
	token    chat.Token // the one just made
	load     task
	make     task
	revoke   task
}

type accountKey struct{ Lang, Me string }

func (a *account) OnMount(ctx app.Context) { a.fetch(ctx) }

func (a *account) fetch(ctx app.Context) {
	var got []chat.Session
	a.load.run(ctx, a.s, func(ctx context.Context) (err error) {
		got, err = a.s.do.Sessions(ctx)
		return err
	}, func(app.Context) { a.sessions, a.loaded = got, true })
}

func (a *account) Render() app.UI {
	w, me := a.s.w, a.s.view.Me
	var signedIn, tokens []app.UI
	for _, s := range a.sessions {
		if s.Token {
			tokens = append(tokens, a.session(s, "terminal"))
		} else {
			signedIn = append(signedIn, a.session(s, "laptop"))
		}
	}
	return app.Div().Class("page").Body(
		app.Section().Class("block profile").Body(
			avatar(me.ID, me.Name),
			app.Div().Class("grow").Body(app.P().Class("profile-name").Text(me.Name), app.P().Class("quiet").Text(a.role())),
			app.Button().Type("button").ID("sign-out").Class("button").OnClick(a.s.opens(dialogOf{Kind: signOutDialog})).Body(icon("log-out"), app.Span().Text(w.Set.SignOut)),
		),
		app.Section().Class("block").Body(
			app.H2().Text(w.Set.Sessions),
			app.P().Class("quiet").Text(w.Set.SessionsLead),
			a.list(signedIn, w.Set.NoSessions),
			a.load.alert(),
			a.revoke.alert(),
		),
		app.Section().Class("block").Body(
			app.H2().Text(w.Set.Tokens),
			app.P().Class("quiet").Text(w.Set.TokensLead),
			a.list(tokens, w.Set.NoTokens),
			app.Form().Class("inline-form").OnSubmit(a.onMake).Body(
				field("token-name", w.Set.TokenName, app.Input().ID("token-name").Type("text").Class("input").Placeholder(w.Set.TokenHint).
					Attr("maxlength", chat.MaxName).AutoComplete(false)),
				app.Button().Type("submit").Class("button").Disabled(a.make.busy).Text(w.Set.NewToken),
			),
			a.make.alert(),
			a.fresh(),
		),
	)
}

func (a *account) role() string {
	if a.s.view.Me.Owner {
		return a.s.w.People.Owner
	}
	return a.s.w.Set.SignedIn
}

func (a *account) list(rows []app.UI, none string) app.UI {
	switch {
	case !a.loaded && a.load.fault == "":
		return app.Div().Class("bone bone-box")
	case len(rows) == 0:
		return app.P().Class("quiet").Text(none)
	}
	return app.Ul().Class("picks").Body(rows...)
}

func (a *account) session(s chat.Session, ic string) app.UI {
	w := a.s.w.Set
	name := s.Name
	if name == "" {
		name = w.Browser
	}
	row := app.Li().Class("pick")
	about := say(w.Created, "time", a.s.dates.Full(s.Created))
	if s.Seen.After(s.Created) {
		about = say(w.Seen, "time", a.s.dates.Full(s.Seen))
	}
	text := app.Span().Class("pick-text").Body(app.Span().Class("pick-name").Text(name), app.Span().Class("quiet").Text(about))
	if s.Current {
		return row.Body(app.Span().Class("face").Body(icon(ic)), text, app.Span().Class("tag").Text(w.ThisOne))
	}
	return row.Body(app.Span().Class("face").Body(icon(ic)), text,
		app.Button().Type("button").Class("button").Disabled(a.revoke.busy).Text(w.Revoke).OnClick(a.revokes(s.ID), app.EventScope(s.ID)))
}

func (a *account) revokes(id string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		a.revoke.run(ctx, a.s, func(ctx context.Context) error { return a.s.do.Revoke(ctx, id) }, func(app.Context) {
			a.sessions = slices.DeleteFunc(slices.Clone(a.sessions), func(s chat.Session) bool { return s.ID == id })
			if a.token.ID == id {
				a.token = chat.Token{}
			}
		})
	}
}

func (a *account) onMake(ctx app.Context, e app.Event) {
	e.PreventDefault()
	input := element("token-name")
	name := chat.CleanName(input.Get("value").String())
	if name == "" {
		a.make.fault = a.s.w.Dialog.BadRoomName
		return
	}
	var got chat.Token
	a.make.run(ctx, a.s, func(ctx context.Context) (err error) {
		got, err = a.s.do.NewToken(ctx, name)
		return err
	}, func(ctx app.Context) {
		a.token = got
		input.Set("value", "")
		a.fetch(ctx)
	})
}

// fresh shows the token that was just made, once.
func (a *account) fresh() app.UI {
	if a.token.Token == "" {
		return app.Div().Class("fresh-token none")
	}
	w := a.s.w
	return app.Div().Class("fresh-token").Attr("role", "status").Body(
		app.P().Text(w.Set.TokenOnce),
		app.Div().Class("invite-link").Body(
			app.Input().Type("text").ID("token").Class("input mono").ReadOnly(true).Value(a.token.Token).Aria("label", a.token.Name),
			app.Button().Type("button").Class("button primary").OnClick(a.onCopy).Body(icon("copy"), app.Span().Text(w.Copy)),
		),
	)
}

func (a *account) onCopy(ctx app.Context, _ app.Event) { a.s.copyOf(ctx, a.token.Token) }
