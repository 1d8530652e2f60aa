package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// post sends what was typed, or saves the edit. What cannot be sent stays.
func (c *composer) post() {
	c.typed = c.area.Get("value").String()
	c.look()
	if !c.showing.ready {
		if c.edits != 0 && strings.TrimSpace(c.typed) == "" { // nothing is left of it
			seq := c.edits
			c.stopEditing()
			c.s.dialog = dialogOf{Kind: deleteDialog, Room: c.Key.Room, Seq: seq}
			c.ctx.Dispatch(nil)
		}
		return
	}
	said := strings.TrimRight(c.typed, " \t\r\n")
	said = strings.TrimLeft(said, "\r\n")
	if c.edits != 0 {
		c.s.do.Edit(c.Key.Room, c.edits, said)
		c.stopEditing()
		return
	}
	if c.s.line != nil {
		c.s.line.view.follow()
	}
	c.s.do.Send(c.Key.Room, said)
	c.set("")
	c.keepDraft()
}

// set replaces the text; never while an input method is at work.
func (c *composer) set(s string) {
	c.typed = s
	c.area.Set("value", s)
	c.grow()
	c.look()
}

// take puts text into the composer, after what is there.
func (c *composer) take(s string) {
	if c.edits != 0 {
		c.stopEditing()
	}
	if c.typed != "" {
		s = c.typed + "\n" + s
	}
	c.set(s)
	c.keepDraft()
	c.focus()
}

func (c *composer) editing(seq chat.Seq, s string) {
	if c.edits == 0 {
		c.aside = c.typed
	}
	c.edits = seq
	c.set(s)
	c.focus()
	c.area.Call("setSelectionRange", len(s), len(s))
}

func (c *composer) stopEditing() {
	if c.edits == 0 {
		return
	}
	c.edits = 0
	c.set(c.aside)
	c.aside = ""
}

// A note is a draft that a page left for the next one in its tab. The engine's disk is
// quick, but a reload does not wait for it. One who wrote nothing leaves none: on disk may
// be more than this page ever knew.
type note struct {
	room  chat.RoomID
	draft string
}

const noteKey = "parley.note"

// leaveNote leaves one, or, when the page stays after all, takes it away again.
func (c *composer) leaveNote(leaving bool) {
	defer report()
	notes := app.Window().Get("sessionStorage")
	if !leaving {
		notes.Call("removeItem", noteKey)
		return
	}
	if !c.changed {
		return
	}
	draft := c.typed
	if c.edits != 0 {
		draft = c.aside
	}
	notes.Call("setItem", noteKey, string(c.Key.Room)+" "+draft)
}

// takeNote takes the note, once.
func takeNote() note {
	defer report()
	notes := app.Window().Get("sessionStorage")
	v := notes.Call("getItem", noteKey)
	if !v.Truthy() {
		return note{}
	}
	notes.Call("removeItem", noteKey)
	room, draft, _ := strings.Cut(v.String(), " ")
	return note{chat.RoomID(room), draft}
}

// resume goes on where the page before this one was.
func (c *composer) resume() {
	n := c.s.note
	c.s.note = note{}
	switch {
	case n.room == c.Key.Room && n.draft != c.typed:
		c.set(n.draft)
		c.keepDraft()
	case n.room != c.Key.Room && n.draft != "":
		c.s.do.SaveDraft(n.room, n.draft)
	}
}
