package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// The sidebar is the list of rooms, with a field that finds one.
type sidebar struct {
	app.Compo
	Key sidebarKey

	s     *shell
	query string // typed into the field
}

type sidebarKey struct {
	Rooms    uint64
	Current  chat.RoomID
	Me, Lang string
	Settings bool
}

func (s *shell) sidebarKey() sidebarKey {
	return sidebarKey{Rooms: s.view.RoomsVer, Current: s.asked, Me: s.view.Me.Name, Lang: s.w.Lang, Settings: s.place.kind == atSettings || s.place.kind == atLab}
}

func (b *sidebar) Render() app.UI {
	w := b.s.w
	return app.Nav().Class("sidebar").Aria("label", w.Sidebar.Label).Body(
		app.Div().Class("sidebar-head").Body(
			app.Span().Class("brand").Body(icon("mark"), app.Span().Text(w.App)),
			app.Button().Type("button").Class("icon-button").ID("new").Aria("label", w.Sidebar.New).Title(w.Sidebar.New).
				Attr("popovertarget", "new-menu").Body(icon("square-pen")),
			b.menu(),
		),
		app.Div().Class("find").Body(
			icon("search"),
			app.Input().ID("find").Type("search").Placeholder(w.Sidebar.FindHint).Aria("label", w.Sidebar.Find).AutoComplete(false).
				OnInput(b.onFind).OnKeyDown(b.onFindKey),
			app.Span().Class("hint").Aria("hidden", "true").Text(b.findKey()),
		),
		app.Div().Class("sidebar-list").Body(b.list()...),
		b.foot(),
	)
}

func (b *sidebar) findKey() string {
	if b.s.mac {
		return "⌘ K"
	}
	return "Ctrl K"
}

// menu is what can be begun. The browser opens and closes it.
func (b *sidebar) menu() app.UI {
	w := b.s.w.Sidebar
	item := func(ic, label string, kind dialogKind) app.UI {
		return app.Button().Type("button").Class("menu-item").Attr("popovertarget", "new-menu").Attr("popovertargetaction", "hide").
			OnClick(b.s.opens(dialogOf{Kind: kind}), app.EventScope(int(kind))).Body(icon(ic), app.Span().Text(label))
	}
	return app.Div().Class("menu").ID("new-menu").Attr("popover", "auto").Body(
		item("hash", w.NewRoom, newRoomDialog),
		item("message-circle", w.NewDirect, directDialog),
		item("compass", w.Browse, browseDialog),
		item("user-plus", w.Invite, inviteDialog),
	)
}

func (b *sidebar) list() []app.UI {
	w := b.s.w.Sidebar
	var rooms, direct []app.UI
	query := strings.ToLower(strings.TrimSpace(b.query))
	for _, r := range b.s.view.Rooms {
		if query != "" && !strings.Contains(strings.ToLower(r.Name), query) {
			continue
		}
		if r.Kind == chat.Direct {
			direct = append(direct, b.s.roomRow(r, b.Key.Settings))
		} else {
			rooms = append(rooms, b.s.roomRow(r, b.Key.Settings))
		}
	}
	if query != "" && len(rooms)+len(direct) == 0 {
		return []app.UI{app.P().Class("quiet sidebar-none").Text(w.NoMatch)}
	}
	// Both sections always stand there, so that a room never takes the place of a title.
	return []app.UI{
		section(w.Rooms, rooms, iconButton("plus", w.NewRoom, b.s.opens(dialogOf{Kind: newRoomDialog}), "room")),
		section(w.Direct, direct, iconButton("plus", w.NewDirect, b.s.opens(dialogOf{Kind: directDialog}), "direct")),
	}
}

func section(title string, items []app.UI, add app.UI) app.UI {
	return app.Section().Class("section").Aria("label", title).Body(
		app.Div().Class("section-head").Body(app.H2().Text(title), add),
		app.Ul().Body(items...),
	)
}

func (b *sidebar) foot() app.UI {
	me := b.s.view.Me
	link := app.A().Class("item me").Href(below("/settings")).Body(
		app.Span().Class("face").Body(avatar(me.ID, me.Name)),
		app.Span().Class("item-name").Text(me.Name),
		icon("settings"),
		app.Span().Class("offscreen").Text(b.s.w.Sidebar.Settings),
	)
	if b.Key.Settings {
		link.Aria("current", "page")
	}
	return app.Div().Class("sidebar-foot").Body(link)
}

func (b *sidebar) onFind(ctx app.Context, _ app.Event) {
	b.query = ctx.JSSrc().Get("value").String()
}

// onFindKey opens the first match with Enter, and gives up with Escape.
func (b *sidebar) onFindKey(ctx app.Context, e app.Event) {
	if e.Get("isComposing").Bool() || e.Get("keyCode").Int() == 229 {
		return
	}
	switch e.Get("key").String() {
	case "Enter":
		if first := document().Call("querySelector", ".sidebar-list a.item"); first.Truthy() && b.query != "" {
			e.PreventDefault() // or the composer, which has the focus in a moment, takes the key for a new line
			b.clear(ctx)
			b.s.backToWriting()
			ctx.Navigate(first.Call("getAttribute", "href").String())
		}
	case "Escape":
		b.clear(ctx)
		focus("composer")
	}
}

func (b *sidebar) clear(ctx app.Context) {
	b.query = ""
	ctx.JSSrc().Set("value", "")
}
