package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// regions are where F6 goes, in this order.
var regions = [...]string{"find", "timeline", "composer", "members"}

// key handles the shortcuts that work everywhere.
func (s *shell) key(ctx app.Context, e app.Value) {
	if s.view == nil || !s.inApp() || e.Get("isComposing").Bool() || e.Get("keyCode").Int() == 229 {
		return
	}
	ctrl := e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()
	alt, shift := e.Get("altKey").Bool(), e.Get("shiftKey").Bool()
	switch key := e.Get("key").String(); {
	case key == "k" && ctrl && !alt && !shift:
		e.Call("preventDefault")
		focus("find")
	case (key == "ArrowUp" || key == "ArrowDown") && alt && !ctrl:
		e.Call("preventDefault")
		step := 1
		if key == "ArrowUp" {
			step = -1
		}
		if to := s.neighbour(step, shift); to != "" {
			ctx.Dispatch(func(ctx app.Context) { ctx.Navigate(to) })
		}
	case key == "F6":
		e.Call("preventDefault")
		step := 1
		if shift {
			step = -1
		}
		nextRegion(step)
	case key == "Escape" && s.pane && s.dialog == (dialogOf{}) && !e.Get("defaultPrevented").Bool() && !matches(wide):
		ctx.Dispatch(func(ctx app.Context) { s.setPane(false) })
	}
}

// neighbour returns the path of the room before or after the open one, of those with something
// unread if that is asked; "" when there is none.
func (s *shell) neighbour(step int, unread bool) string {
	rooms := s.view.Rooms
	at := -1
	for i, r := range rooms {
		if r.ID == s.asked {
			at = i
		}
	}
	if at < 0 && step < 0 {
		at = len(rooms)
	}
	for i := at + step; i >= 0 && i < len(rooms); i += step {
		if !unread || rooms[i].Unread > 0 {
			return roomPath(rooms[i].ID)
		}
	}
	return ""
}

// nextRegion moves the focus to the next part of the screen that is there.
func nextRegion(step int) {
	active := document().Get("activeElement")
	at := 0
	for i, id := range regions {
		if el := element(id); el.Truthy() && el.Call("contains", active).Bool() {
			at = i
		}
	}
	for n := 1; n <= len(regions); n++ {
		id := regions[(at+n*step+2*len(regions))%len(regions)]
		if el := element(id); el.Truthy() && el.Get("offsetParent").Truthy() {
			focus(id)
			return
		}
	}
}
