package ui

import (
	"hash/fnv"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

const svgNS = "http://www.w3.org/2000/svg"

// icon draws one of the sprite. It says nothing to who cannot see it: the control
// that holds it has a name.
func icon(name string) app.UI {
	return app.Elem("svg").XMLNS(svgNS).Attr("class", "icon").Aria("hidden", "true").Body(
		app.Elem("use").XMLNS(svgNS).Attr("href", "/web/icons/sprite.svg#"+name))
}

func viaIcon(v chat.Via) app.UI { return icon("via-" + string(v)) }

// iconButton is a control that shows only an icon.
func iconButton(name, label string, h app.EventHandler, scope ...any) app.HTMLButton {
	return app.Button().Type("button").Class("icon-button").Aria("label", label).Title(label).
		OnClick(h, app.EventScope(scope...)).Body(icon(name))
}

// hues is how many colours avatars have; the styles are in avatar.css.
const hues = 12

// avatar shows who someone is: initials on a colour that is theirs for ever.
func avatar(id chat.UserID, name string) app.UI {
	h := fnv.New32a()
	h.Write([]byte(id))
	return app.Div().Class("avatar", "hue-"+strconv.Itoa(int(h.Sum32()%hues))).Aria("hidden", "true").Text(initials(name))
}

// initials are one Han character, or the first letters of the first and the last word.
func initials(name string) string {
	first, last := rune(0), rune(0)
	begin := true
	for _, r := range name {
		switch {
		case unicode.IsSpace(r) || r == '-' || r == '.' || r == '_':
			begin = true
			continue
		case begin && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			if first == 0 {
				first = unicode.ToUpper(r)
			} else {
				last = unicode.ToUpper(r)
			}
		}
		begin = false
	}
	switch {
	case first == 0:
		r, _ := utf8.DecodeRuneInString(name)
		return string(r)
	case last == 0 || first > unicode.MaxLatin1:
		return string(first)
	}
	return string([]rune{first, last})
}

// presence is a dot that differs in shape too: filled for online, hollow for away.
func (s *shell) presence(online bool) app.UI {
	state, label := "away", s.w.Sidebar.Offline
	if online {
		state, label = "online", s.w.Sidebar.Online
	}
	return app.Span().Class("presence", state).Attr("role", "img").Aria("label", label)
}

// roomIcon shows what kind of room it is; a direct one shows the other person.
func roomIcon(kind chat.RoomKind) app.UI {
	switch kind {
	case chat.Private:
		return icon("lock")
	case chat.Direct:
		return icon("users")
	case chat.Self:
		return icon("user")
	case chat.Public:
	}
	return icon("hash")
}

// roomName is how a sentence calls a room.
func (s *shell) roomName(kind chat.RoomKind, name string) string {
	if kind == chat.Public && name != "" {
		return "#" + name
	}
	return name
}

// emptyState is one drawing in the mark's strokes, one sentence, one action.
func emptyState(title, lead string, do app.UI) app.UI {
	return app.Div().Class("empty").Body(
		app.Div().Class("empty-mark").Body(icon("mark")),
		app.P().Class("empty-title").Text(title),
		app.P().Class("empty-lead").Text(lead),
		do,
	)
}

// theirs finds a person by id.
func (s *shell) person(id chat.UserID) (model.Person, bool) {
	for _, p := range s.view.People {
		if p.ID == id {
			return p, true
		}
	}
	return model.Person{}, false
}

// copyOf copies text and says so for a moment.
func (s *shell) copyOf(ctx app.Context, text string) {
	copyText(text)
	s.copied = s.w.Copied
	ctx.After(copiedFor, func(app.Context) { s.copied = "" })
}

// skeleton has the geometry of what comes. It is all that the server draws, so
// nothing in it depends on anything.
func skeleton() []app.UI {
	rows := make([]app.UI, 0, 7)
	for range 7 {
		rows = append(rows, app.Div().Class("bone bone-item"))
	}
	return []app.UI{
		app.Div().Class("sidebar").Body(
			app.Div().Class("sidebar-head").Body(app.Div().Class("bone bone-title")),
			app.Div().Class("sidebar-list").Body(rows...),
		),
		app.Div().Class("main").Body(
			app.Div().Class("room").Body(
				app.Div().Class("room-head").Body(app.Div().Class("bone bone-title")),
				app.Div().Class("loading").Body(skeletonRows()),
				app.Div().Class("composer").Body(app.Div().Class("bone bone-box")),
			),
		),
	}
}

func skeletonRows() app.UI {
	rows := make([]app.UI, 0, 5)
	for range 5 {
		rows = append(rows, app.Div().Class("bone-row").Body(
			app.Div().Class("bone bone-avatar"),
			app.Div().Class("bone-lines").Body(app.Div().Class("bone bone-name"), app.Div().Class("bone bone-line"), app.Div().Class("bone bone-line")),
		))
	}
	return app.Div().Class("bone-rows").Body(rows...)
}
