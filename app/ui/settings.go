package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Settings are pages, each with an address; on a wide screen their list stands beside.
type settings struct {
	app.Compo
	Key settingsKey
	s   *shell
}

type settingsKey struct {
	Page        string
	Conn        uint64 // on the page about it
	Copied      string // the same
	Lang, Theme string
	Me          string
	Narrow      bool
}

func (s *shell) settingsKey() settingsKey {
	k := settingsKey{Page: s.place.page, Lang: s.w.Lang, Theme: s.theme, Me: s.view.Me.Name, Narrow: s.narrow}
	if k.Page == "" && !s.narrow {
		k.Page = "account"
	}
	if k.Page == "connection" {
		k.Conn, k.Copied = s.view.Connection.Version, s.copied
	}
	return k
}

func (p *settings) Render() app.UI {
	w := p.s.w.Set
	page := app.Section().Class("settings-page")
	title, body := "", app.UI(nil)
	switch p.Key.Page {
	case "account":
		title, body = w.Account, &account{Key: accountKey{Lang: p.Key.Lang, Me: p.Key.Me}, s: p.s}
	case "connection":
		title, body = w.Connection, p.s.connection()
	case "appearance":
		title, body = w.Appearance, p.appearance()
	case "language":
		title, body = w.Language, p.language()
	}
	up := below("/settings")
	if !p.Key.Narrow || p.Key.Page == "" {
		up = p.s.backPath()
	}
	frame := app.Div().Class("settings").DataSet("page", p.Key.Page)
	return frame.Body(
		app.Nav().Class("settings-nav").Aria("label", w.Title).Body(
			app.Div().Class("settings-head").Body(
				app.A().Class("icon-button").Href(p.s.backPath()).Aria("label", p.s.w.Back).Body(icon("arrow-left")),
				app.H1().Text(w.Title),
			),
			app.Ul().Body(
				p.link("account", "user", w.Account),
				p.link("connection", "cable", w.Connection),
				p.link("appearance", "palette", w.Appearance),
				p.link("language", "languages", w.Language),
			),
		),
		page.Body(
			app.Div().Class("settings-head").Body(
				app.A().Class("icon-button settings-up").Href(up).Aria("label", p.s.w.Back).Body(icon("arrow-left")),
				app.H1().Text(title),
			),
			app.Div().Class("settings-body").Body(body),
		),
	)
}

func (p *settings) link(page, ic, label string) app.UI {
	a := app.A().Class("item").Href(below("/settings/"+page)).Body(icon(ic), app.Span().Class("item-name").Text(label), icon("chevron-right"))
	if p.Key.Page == page {
		a.Aria("current", "page")
	}
	return app.Li().Body(a)
}

// backPath is where settings were opened from.
func (s *shell) backPath() string {
	if s.asked != "" {
		return roomPath(s.asked)
	}
	return below("/")
}

func (p *settings) appearance() app.UI {
	w := p.s.w.Set
	return app.Div().Class("page").Body(
		app.FieldSet().Class("choices row-choices").Body(
			app.Legend().Text(w.Theme),
			choice("theme", "theme-system", "monitor", w.System, "", p.Key.Theme == "", p.themes("")),
			choice("theme", "theme-light", "sun", w.Light, "", p.Key.Theme == "light", p.themes("light")),
			choice("theme", "theme-dark", "moon", w.Dark, "", p.Key.Theme == "dark", p.themes("dark")),
		),
		&install{Lang: p.Key.Lang, s: p.s},
	)
}

func (p *settings) themes(theme string) app.EventHandler {
	return func(app.Context, app.Event) {
		p.s.theme = theme
		setTheme(theme)
	}
}

func (p *settings) language() app.UI {
	langs := app.FieldSet().Class("choices")
	var cards []app.UI
	for _, w := range []*Words{en(), zh()} {
		cards = append(cards, choice("lang", "lang-"+w.Lang, "languages", w.Name, "", p.Key.Lang == w.Lang, p.speaks(w.Lang)))
	}
	return app.Div().Class("page").Body(
		langs.Body(append([]app.UI{app.Legend().Text(p.s.w.Set.Language)}, cards...)...),
		app.P().Class("quiet").Text(p.s.w.Set.LanguageLead),
	)
}

func (p *settings) speaks(lang string) app.EventHandler {
	return func(app.Context, app.Event) {
		store("lang", lang)
		p.s.speak(lang)
	}
}

// install offers to install the app, where the browser can.
type install struct {
	app.Compo
	Lang  string
	s     *shell
	can   bool
	apple bool
}

func (i *install) OnMount(ctx app.Context) { i.ask(ctx) }

func (i *install) OnAppInstallChange(ctx app.Context) { i.ask(ctx) }

func (i *install) ask(ctx app.Context) {
	i.apple = ctx.IsAppleBrowser()
	i.can = ctx.IsAppInstallable()
}

func (i *install) Render() app.UI {
	w := i.s.w.Set
	box := app.Section().Class("block")
	head := app.H2().Text(w.Install)
	switch {
	case i.can && i.apple:
		return box.Body(head, app.P().Class("quiet").Text(w.InstallLead), app.P().Text(w.InstallApple))
	case i.can:
		return box.Body(head, app.P().Class("quiet").Text(w.InstallLead),
			app.Button().Type("button").ID("install").Class("button primary").OnClick(i.onInstall).Body(icon("download"), app.Span().Text(w.InstallDo)))
	}
	return box.Body(head, app.P().Class("quiet").Text(w.InstallNot))
}

func (i *install) onInstall(ctx app.Context, _ app.Event) { ctx.ShowAppInstallPrompt() }
