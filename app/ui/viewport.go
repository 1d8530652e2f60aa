package ui

import (
	"sort"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// A viewport is where in a timeline the reader is. It keeps that place when rows come
// or go: at the end it follows the end, elsewhere the topmost row stays where it is on the
// screen. The browser's own anchoring is off, as not all of them have it.
type viewport struct {
	t     *timeline
	ctx   app.Context
	box   app.Value // what scrolls
	atEnd bool      // the end is in sight, and followed
	found bool      // the reader has been led to the first new message

	anchor    string // the row that must not move, while rows change
	anchorTop float64
	reading   *time.Timer // until what is seen counts as read
	due       bool        // it runs
	stops     []func()
}

const (
	nearEnd   = 100         // pixels from the end that count as being there
	prefetch  = 2           // screens above which older events are asked for
	readAfter = time.Second // how long something must have been seen to count as read
)

func (v *viewport) mount(ctx app.Context, t *timeline) {
	v.t, v.ctx = t, ctx
	v.box = t.JSValue().Call("querySelector", ".scroller")
	if !v.box.Truthy() {
		return
	}
	t.s.line = t
	v.stops = append(v.stops,
		listen(v.box, "scroll", func(app.Value) { v.scrolled() }),
		listen(v.box, "pointerover", func(e app.Value) { v.point(e.Get("target")) }),
		listen(v.box, "pointerleave", func(app.Value) { v.activate("") }),
		listen(v.box, "focusin", func(e app.Value) { v.point(e.Get("target")) }),
		listen(v.box, "keydown", v.key),
		listen(app.Window(), "focus", func(app.Value) { v.read() }),
		v.observe(),
	)
	v.begin()
}

func (v *viewport) dismount() {
	for _, stop := range v.stops {
		stop()
	}
	if v.reading != nil {
		v.reading.Stop()
		v.due = false
	}
	if v.t != nil && v.t.s.line == v.t {
		v.t.s.line = nil
	}
}

// begin goes to the first new message, or to the end if there is none.
func (v *viewport) begin() {
	v.atEnd = true
	if first := element("first-new"); first.Truthy() {
		v.found = true
		v.box.Set("scrollTop", v.placeOf(first))
	} else {
		v.toEnd()
	}
	v.scrolled()
}

// placeOf returns where to scroll so that el stands in the upper part.
func (v *viewport) placeOf(el app.Value) float64 {
	return v.scrollTop() + top(el) - top(v.box) - v.height()/5
}

func top(el app.Value) float64 { return el.Call("getBoundingClientRect").Get("top").Float() }

func (v *viewport) scrollTop() float64 { return v.box.Get("scrollTop").Float() }

func (v *viewport) height() float64 { return v.box.Get("clientHeight").Float() }

func (v *viewport) toEnd() { v.box.Set("scrollTop", v.box.Get("scrollHeight")) }

// follow goes to the end and stays there: one's own message is always seen.
func (v *viewport) follow() {
	if v.box != nil {
		v.atEnd = true
		v.toEnd()
	}
}

// observe follows the end when the room for the rows or the rows themselves change size:
// the composer grows, a keyboard comes up, a font arrives.
func (v *viewport) observe() (stop func()) {
	fn := app.FuncOf(func(app.Value, []app.Value) any {
		defer report()
		if v.atEnd {
			v.toEnd()
		}
		return nil
	})
	o := app.Window().Get("ResizeObserver").New(fn)
	o.Call("observe", v.box)
	o.Call("observe", v.box.Get("firstElementChild"))
	return func() {
		o.Call("disconnect")
		fn.Release()
	}
}

func (v *viewport) scrolled() {
	fromEnd := v.box.Get("scrollHeight").Float() - v.scrollTop() - v.height()
	if end := fromEnd <= nearEnd; end != v.atEnd {
		v.atEnd = end
		v.ctx.Dispatch(nil)
	}
	room := v.t.s.view.Room
	if room != nil && room.ID == v.t.Key.Room && room.More && !room.Loading && !room.LoadErr && v.scrollTop() < prefetch*v.height() {
		v.t.s.do.LoadOlder(room.ID)
	}
	v.read()
}

// hold remembers, before the rows change, what the reader looks at, and puts it
// back when they have.
func (v *viewport) hold(ctx app.Context) {
	if v.box == nil {
		return
	}
	v.anchor = ""
	if !v.atEnd {
		if el, ok := v.topmost(); ok {
			v.anchor, v.anchorTop = el.Get("id").String(), top(el)
		}
	}
	ctx.Defer(func(app.Context) { v.restore() })
}

func (v *viewport) restore() {
	defer report()
	if v.atEnd {
		v.toEnd()
	} else if el := element(v.anchor); v.anchor != "" && el.Truthy() {
		if moved := top(el) - v.anchorTop; moved != 0 {
			v.box.Call("scrollBy", map[string]any{"top": moved, "behavior": "instant"})
		}
	}
	v.scrolled()
}

// rows are all rows on the page, in order.
func (v *viewport) rows() (list app.Value, n int) {
	list = v.box.Call("querySelectorAll", ".row, .notice")
	return list, list.Get("length").Int()
}

// topmost returns the first row that is in sight.
func (v *viewport) topmost() (app.Value, bool) {
	list, n := v.rows()
	edge := top(v.box)
	i := sort.Search(n, func(i int) bool {
		return list.Index(i).Call("getBoundingClientRect").Get("bottom").Float() > edge
	})
	if i == n {
		return nil, false
	}
	return list.Index(i), true
}

// lastSeen returns the number of the last row that is in sight.
func (v *viewport) lastSeen() chat.Seq {
	list, n := v.rows()
	edge := top(v.box) + v.height()
	i := sort.Search(n, func(i int) bool { return top(list.Index(i)) >= edge })
	for i--; i >= 0; i-- {
		if seq, err := strconv.ParseInt(list.Index(i).Get("dataset").Get("seq").String(), 10, 64); err == nil && seq > 0 {
			return chat.Seq(seq)
		}
	}
	return 0
}

// read says that what is in sight has been read, if it still is after a moment, and if
// somebody can have seen it. At the end of a busy room there always is something new: there the moment does not begin anew.
func (v *viewport) read() {
	if v.reading != nil {
		if v.due && v.atEnd {
			return
		}
		v.reading.Stop()
	}
	v.due = true
	v.reading = time.AfterFunc(readAfter, func() {
		v.ctx.Dispatch(func(ctx app.Context) {
			ctx.PreventUpdate()
			v.due = false
			room := v.t.s.view.Room
			if room == nil || room.ID != v.t.Key.Room || room.Unread == 0 || !visible() {
				return
			}
			seq := v.lastSeen()
			if v.atEnd {
				seq = max(seq, room.Head)
			}
			if seq > 0 {
				v.t.s.do.Read(room.ID, seq)
			}
		})
	})
}

// jump leads to the first new message, and from there to the end.
func (v *viewport) jump() {
	to := v.box.Get("scrollHeight").Float()
	if first := element("first-new"); first.Truthy() && !v.found && top(first) > top(v.box) {
		to = v.placeOf(first)
	}
	v.found = true
	behavior := "smooth"
	if far := to - v.scrollTop(); far > 3*v.height() || matches(calm) {
		behavior = "instant"
	}
	v.box.Call("scrollTo", map[string]any{"top": to, "behavior": behavior})
}

// point makes the row that el is in the active one.
func (v *viewport) point(el app.Value) {
	if row := el.Call("closest", ".row"); row.Truthy() {
		v.activate(row.Get("id").String())
	}
}

func (v *viewport) activate(id string) {
	if id == "" { // the row with the focus keeps its toolbar
		if row := document().Call("querySelector", ".row:focus-within"); row.Truthy() {
			id = row.Get("id").String()
		}
	}
	if v.t.active != id {
		v.t.active = id
		v.ctx.Dispatch(nil)
	}
}
