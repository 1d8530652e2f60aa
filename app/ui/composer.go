package ui

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// The composer is where one writes. The text belongs to the browser's textarea: it
// is set only when a room opens, an edit begins or ends, or a message is sent, and never
// while an input method is at work. Each room has a composer of its own, so that
// no draft can end up in another one.
type composer struct {
	app.Compo
	Key composerKey

	s       *shell
	ctx     app.Context
	area    app.Value
	typed   string   // what the textarea holds
	edits   chat.Seq // the message being edited; 0 is none
	aside   string   // the draft that waits for the edit to end
	saved   string   // the draft as last handed to the engine
	saving  *time.Timer
	ime     bool // between compositionstart and compositionend
	changed bool // by the person, in this page
	imeEnd  time.Duration
	hadIME  bool
	webkit  bool
	sized   bool // the browser grows the textarea by itself
	stops   []func()
	showing composerLooks
}

type composerKey struct {
	Room         chat.RoomID
	Kind         chat.RoomKind
	Name, Lang   string
	Disconnected bool
}

// composerLooks is what of the text changes the rest of the composer.
type composerLooks struct {
	ready bool // there is something to send
	left  int  // characters left, when that is worth saying
	tell  bool
	edits chat.Seq
}

// saveAfter is how long after the last key a draft is kept.
const saveAfter = 300 * time.Millisecond

func (s *shell) composerKey() composerKey {
	r := s.view.Room
	return composerKey{Room: r.ID, Kind: r.Kind, Name: r.Name, Lang: s.w.Lang, Disconnected: s.view.Connection.Trouble}
}

func (c *composer) CompoID() string { return string(c.Key.Room) }

func (c *composer) OnMount(ctx app.Context) {
	c.ctx = ctx
	c.area = c.JSValue().Call("querySelector", "textarea")
	c.s.compose = c
	agent := app.Window().Get("navigator").Get("userAgent").String()
	c.webkit = strings.Contains(agent, "AppleWebKit/") && !strings.Contains(agent, "Chrome/")
	c.sized = app.Window().Get("CSS").Call("supports", "field-sizing", "content").Bool()
	c.stops = []func(){
		listen(c.area, "keydown", c.key),
		listen(c.area, "input", func(app.Value) { c.input() }),
		listen(c.area, "compositionstart", func(app.Value) { c.ime = true }),
		listen(c.area, "compositionend", func(e app.Value) { c.ime, c.hadIME, c.imeEnd = false, true, now(e); c.input() }),
		listen(c.area, "blur", func(app.Value) { c.ime = false; c.keepDraft() }),
	}
	if room := c.s.view.Room; room != nil && room.ID == c.Key.Room {
		c.saved = room.Draft
		c.set(room.Draft)
		c.resume()
	}
	if !matches(touch) && c.s.dialog == (dialogOf{}) {
		c.focus()
	}
}

func (c *composer) OnDismount() {
	for _, stop := range c.stops {
		stop()
	}
	c.keepDraft()
	if c.s.compose == c {
		c.s.compose = nil
	}
}

func (c *composer) Render() app.UI {
	w := c.s.w
	name := c.s.roomName(c.Key.Kind, c.Key.Name)
	hint := say(w.Composer.To, "room", name)
	if c.Key.Kind == chat.Direct {
		hint = say(w.Composer.ToDirect, "name", name)
	}
	send, act := w.Composer.Send, "send"
	if c.showing.edits != 0 {
		send, act = w.Composer.SaveEdit, "save"
	}
	count := "composer-count"
	if c.showing.tell && c.showing.left < 0 {
		count += " over"
	}
	button := app.Button().Type("button").ID("send").Class("send").DataSet("act", act).Aria("label", send).Title(send).
		Disabled(!c.showing.ready).OnClick(c.onSend).Body(icon(c.sendIcon()))
	return app.Div().Class("composer").Body(
		app.Div().Class("composer-box").Body(
			c.strip(),
			app.Div().Class("composer-line").Body(
				app.Textarea().ID("composer").Rows(1).Dir("auto").Placeholder(hint).Aria("label", hint).
					Attr("enterkeyhint", "send").Attr("autocomplete", "off").Aria("describedby", "composer-count"),
				button,
			),
		),
		app.Div().Class(count).ID("composer-count").Attr("role", "status").Body(app.Text(c.count())),
	)
}

func (c *composer) sendIcon() string {
	switch {
	case c.showing.edits != 0:
		return "check"
	case c.Key.Disconnected:
		return "clock"
	}
	return "arrow-up"
}

// strip says that a message is being edited, with a way out.
func (c *composer) strip() app.UI {
	if c.showing.edits == 0 {
		return app.Div().Class("strip none")
	}
	w := c.s.w.Composer
	return app.Div().Class("strip").Body(icon("pencil"), app.Span().Text(w.Editing), iconButton("x", w.CancelEdit, c.onCancel))
}

func (c *composer) count() string {
	switch {
	case !c.showing.tell:
		return ""
	case c.showing.left < 0:
		return say(c.s.w.Composer.TooLong, "n", itoa(-c.showing.left))
	}
	return c.s.w.Composer.Left.N(c.showing.left)
}

func (c *composer) onSend(app.Context, app.Event) {
	c.post()
	c.focus()
}

func (c *composer) onCancel(app.Context, app.Event) {
	c.stopEditing()
	c.focus()
}

func (c *composer) focus() { c.area.Call("focus", map[string]any{"preventScroll": true}) }

// key decides at once, so that the default can still be prevented.
func (c *composer) key(e app.Value) {
	since := time.Duration(-1)
	if c.hadIME {
		since = now(e) - c.imeEnd
	}
	k := keyPress{
		Key: e.Get("key").String(), Code: e.Get("keyCode").Int(), Shift: e.Get("shiftKey").Bool(), Alt: e.Get("altKey").Bool(),
		Ctrl: e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool(), Composing: c.ime || e.Get("isComposing").Bool(),
		SinceEnd: since, WebKit: c.webkit, Touch: matches(touch),
	}
	switch decide(k, c.typed == "", c.edits != 0) {
	case leave:
		return
	case post:
		e.Call("preventDefault")
		if !e.Get("repeat").Bool() {
			c.post()
		}
	case editLast:
		if r, ok := c.s.lastOwn(); ok {
			e.Call("preventDefault")
			c.editing(r.Seq, r.Text)
		}
	case abandon:
		e.Call("preventDefault")
		c.stopEditing()
	}
}

func (c *composer) input() {
	c.typed, c.changed = c.area.Get("value").String(), true
	c.grow()
	c.look()
	if c.edits != 0 {
		return
	}
	if strings.TrimSpace(c.typed) != "" {
		c.s.do.Typing(c.Key.Room)
	}
	if c.saving != nil {
		c.saving.Stop()
	}
	c.saving = time.AfterFunc(saveAfter, c.keepDraft)
}

// keepDraft hands what was typed to the engine, unless it has it.
func (c *composer) keepDraft() {
	if c.saving != nil {
		c.saving.Stop()
	}
	draft := c.typed
	if c.edits != 0 {
		draft = c.aside
	}
	if draft != c.saved {
		c.saved, c.changed = draft, true
		c.s.do.SaveDraft(c.Key.Room, draft)
	}
}

// grow makes the textarea as high as its text where the browser does not.
func (c *composer) grow() {
	if c.sized {
		return
	}
	style := c.area.Get("style")
	style.Set("height", "auto")
	style.Set("height", itoa(c.area.Get("scrollHeight").Int())+"px")
}

// look draws the composer again if more than the text changed.
func (c *composer) look() {
	n := utf8.RuneCountInString(c.typed)
	left := chat.MaxText - n
	// Han characters take three bytes each, so the bytes may run out first.
	if n > 0 {
		left = min(left, (chat.MaxTextBytes-len(c.typed))/max(1, len(c.typed)/n))
	}
	next := composerLooks{ready: strings.TrimSpace(c.typed) != "" && left >= 0, edits: c.edits}
	if left < chat.MaxText/5 {
		next.tell, next.left = true, left
	}
	if next != c.showing {
		c.showing = next
		c.ctx.Dispatch(nil)
	}
}
