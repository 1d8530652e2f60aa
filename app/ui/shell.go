package ui

import (
	"strings"
	"sync/atomic"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// The shell is the page: the one component with a life. It is the same on every
// path, so that moving between rooms keeps the connection and all that is shown.
// The other components hold a pointer to it and read what they draw from it.
type shell struct {
	app.Compo

	do    Actions // nil on the server, which draws the skeleton only
	w     *Words
	dates *dates
	view  *model.View // the newest; nil until the engine has spoken
	place place

	asked    chat.RoomID // which room the engine was last asked to open
	kept     chat.RoomID // which one is stored, to begin with
	titled   string      // what the title of the page was made of
	landing  bool        // after the front door: go into the first room
	landed   bool        // has come through the front door since the page was loaded
	door     bool        // the session ended, and the person wants to sign in again
	dialog   dialogOf    // which dialog is open
	pane     bool        // the members are shown beside the room
	narrow   bool        // one pane at a time
	stepped  bool        // Back leads from the members to the room
	mac      bool        // keys have other names
	update   bool        // a new version waits
	copied   string      // what was copied last, to say so for a moment
	theme    string
	invite   invitation
	compose  *composer // the mounted one, if any
	note     note      // what the page before this one was in the middle of
	line     *timeline // the same
	members  versioned
	bench    labRun // what the lab is at, or came to
	stops    []func()
	incoming atomic.Pointer[model.View]
}

func newShell(do Actions) *shell {
	w := en()
	return &shell{do: do, w: w, dates: newDates(w)}
}

func (s *shell) OnMount(ctx app.Context) {
	if s.do == nil {
		return
	}
	lang := stored("lang")
	if lang == "" {
		lang = browserLang()
	}
	s.speak(lang)
	s.theme = stored("theme")
	setTheme(s.theme)
	s.pane = stored("pane") != "closed" && matches(wide)
	s.narrow = matches(narrow)
	s.note = takeNote()
	s.mac = strings.HasPrefix(app.Window().Get("navigator").Get("platform").String(), "Mac")
	s.watch(ctx)
	s.hear(ctx)
}

func (s *shell) OnDismount() {
	for _, stop := range s.stops {
		stop()
	}
}

// watch takes Views from the engine. The newest is kept in one place and at most one
// turn of the screen is asked for, however fast they come. A page that is seen takes one for each of its frames:
// drawing more often would leave the browser no time to paint.
func (s *shell) watch(ctx app.Context) {
	s.stops = append(s.stops, s.do.Watch(func(v *model.View) {
		if s.incoming.Swap(v) != nil {
			return
		}
		ctx.Dispatch(func(ctx app.Context) {
			if v := s.incoming.Swap(nil); v != nil {
				s.show(ctx, v)
			}
		})
		nextFrame()
	}))
}

// hear listens to what the browser says about the page as a whole.
func (s *shell) hear(ctx app.Context) {
	win, doc := app.Window(), document()
	seen := func(app.Value) {
		shown := doc.Get("visibilityState").String() == "visible"
		s.do.SetVisible(shown)
		if s.compose != nil {
			s.compose.keepDraft()
			s.compose.leaveNote(!shown)
		}
	}
	online := func(app.Value) { s.do.SetOnline(win.Get("navigator").Get("onLine").Bool()) }
	seen(nil)
	online(nil)
	s.stops = append(s.stops,
		listen(doc, "visibilitychange", seen),
		listen(win, "pagehide", func(app.Value) {
			if s.compose != nil {
				s.compose.keepDraft()
				s.compose.leaveNote(true)
			}
		}),
		listen(win, "online", online),
		listen(win, "offline", online),
		listen(win, "keydown", func(e app.Value) { s.key(ctx, e) }),
	)
}

// inApp reports whether the rooms are shown, not the front door.
func (s *shell) inApp() bool {
	return s.view.Session == model.SignedIn || s.view.Session == model.SessionEnded && !s.door
}

func (s *shell) OnAppUpdate(app.Context) { s.update = true }

func (s *shell) OnAppInstallChange(app.Context) {}

// speak changes the language of everything.
func (s *shell) speak(lang string) {
	s.w = wordsFor(lang)
	s.dates = newDates(s.w)
	root().Call("setAttribute", "lang", s.w.Lang)
}

func (s *shell) Render() app.UI {
	page := app.Div().Class("app")
	switch {
	case s.view == nil || s.view.Session == model.SessionUnknown:
		return page.DataSet("pane", "none").Body(skeleton()...)
	case !s.inApp():
		return page.DataSet("pane", "door").Body(&door{Key: s.doorKey(), s: s})
	}
	return page.DataSet("pane", s.showing()).DataSet("members", s.paneOpen()).Body(
		s.skip(),
		app.Div().Class("slot").Body(s.banner()),
		&sidebar{Key: s.sidebarKey(), s: s},
		s.main(),
		app.Div().Class("slot").Body(s.context()),
		app.Div().Class("slot").Body(s.dialogs()),
		app.Div().Class("offscreen").Attr("role", "status").Text(s.copied),
	)
}

// showing names the pane that a narrow screen shows.
func (s *shell) showing() string {
	switch {
	case s.place.kind == atSettings || s.place.kind == atLab:
		return "settings"
	case s.paneOpen() && s.narrow:
		return "context"
	case s.place.kind == atRoom || !s.narrow:
		return "room"
	}
	return "list"
}

func (s *shell) skip() app.UI {
	return app.Button().Class("skip").Type("button").Text(s.w.Skip).OnClick(s.onSkip)
}

func (s *shell) onSkip(app.Context, app.Event) { focus("composer") }

// main is the open room, or the settings.
func (s *shell) main() app.UI {
	m := app.Main().Class("main").ID("main")
	room := s.view.Room
	switch {
	case s.place.kind == atSettings:
		return m.Body(app.Div().Class("room"), &settings{Key: s.settingsKey(), s: s})
	case s.place.kind == atLab:
		return m.Body(app.Div().Class("room"), &lab{Key: s.labKey(), s: s})
	case room == nil || room.ID != s.asked:
		return m.Body(app.Div().Class("room").Body(s.nothing()))
	}
	return m.Body(app.Div().Class("room").Body(
		s.header(room),
		&timeline{Key: s.timelineKey(), s: s},
		app.Div().Class("typing").Aria("hidden", "true").Body(app.Text(s.typing(room.Typing))),
		&composer{Key: s.composerKey(), s: s},
	))
}

// nothing is what stands where a room would be.
func (s *shell) nothing() app.UI {
	if s.asked != "" && s.knows(s.asked) || s.view.Me.ID == "" && s.place.kind == atHome { // it is not known who has which rooms
		return app.Div().Class("loading").Body(skeletonRows())
	}
	title := s.w.Room.None
	if s.place.kind == atRoom {
		if title = s.w.Room.NotFound; s.place.room == "" {
			title = s.w.Room.Nowhere
		}
	}
	return emptyState(title, s.w.Room.NoneLead, app.Div().Class("empty-actions").Body(
		app.Button().Type("button").Class("button primary").Text(s.w.Sidebar.Browse).OnClick(s.opens(dialogOf{Kind: browseDialog})),
		app.A().Class("button back-to-list").Href(below("/")).Text(s.w.Back),
	))
}

func (s *shell) knows(id chat.RoomID) bool {
	for _, r := range s.view.Rooms {
		if r.ID == id {
			return true
		}
	}
	return false
}

// versioned numbers the states of a slice that is replaced when it changes.
type versioned struct {
	people  []model.Person
	version uint64
}

func (v *versioned) see(people []model.Person) {
	same := len(people) == len(v.people) && (len(people) == 0 || &people[0] == &v.people[0])
	if !same {
		v.people = people
		v.version++
	}
}
