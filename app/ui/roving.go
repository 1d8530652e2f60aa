package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// key moves the focus from row to row and acts on the one that has it.
func (v *viewport) key(e app.Value) {
	if e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool() || e.Get("altKey").Bool() || e.Get("isComposing").Bool() {
		return
	}
	target := e.Get("target")
	list, n := v.rows()
	if n == 0 {
		return
	}
	at := n
	for i := range n {
		if list.Index(i).Call("contains", target).Bool() {
			at = i
			break
		}
	}
	to := -1
	switch e.Get("key").String() {
	case "ArrowUp", "k":
		to = max(0, at-1)
	case "ArrowDown", "j":
		to = min(n-1, at+1)
	case "Home":
		to = 0
	case "End":
		to = n - 1
	case "Escape":
		focus("composer")
	case "e", "Delete":
		v.act(e.Get("key").String(), target)
		return
	default:
		return
	}
	e.Call("preventDefault")
	if to >= 0 {
		el := list.Index(to)
		el.Set("tabIndex", -1) // notices may be passed over by Tab, but not by arrows
		el.Call("focus", map[string]any{"preventScroll": true})
		el.Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
}

// act edits or deletes the row that has the focus, if it is one's own.
func (v *viewport) act(key string, target app.Value) {
	seq, err := strconv.ParseInt(target.Get("dataset").Get("seq").String(), 10, 64)
	if err != nil {
		return
	}
	r, ok := v.t.s.rowAt(chat.Seq(seq))
	if !ok || !r.Mine || r.Deleted {
		return
	}
	v.ctx.Dispatch(func(app.Context) {
		if key == "e" {
			v.t.s.edit(r)
		} else {
			v.t.s.erase(r)
		}
	})
}
