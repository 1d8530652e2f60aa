package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// A timeline is the list of what was said in one room. go-app compares children by
// place, so every chunk of fifty events has a place of its own for ever, whether it is
// loaded or not: a page of older ones fills its own places and moves nobody.
// Empty places are gathered in groups so that a long room costs little.
type timeline struct {
	app.Compo
	Key timelineKey

	s      *shell
	view   viewport
	active string // the row that has its toolbar shown
}

type timelineKey struct {
	Room    chat.RoomID
	Lang    string
	Newest  int    // index of the last chunk
	Rows    uint64 // changes with the rows of any chunk
	More    bool
	Loading bool
	LoadErr bool
	First   chat.Seq // also of a page that has nothing to show, after which comes the next
	Empty   bool
}

// group is how many chunks share a place of the first level.
const group = 32

func (s *shell) timelineKey() timelineKey {
	r := s.view.Room
	k := timelineKey{Room: r.ID, Lang: s.w.Lang, More: r.More, Loading: r.Loading, LoadErr: r.LoadErr, Rows: r.Pending.Version, First: r.First,
		Empty: len(r.Chunks) == 0 && len(r.Pending.Rows) == 0}
	for _, c := range r.Chunks {
		// Versions only grow, so a sum of different weights changes when any of them does.
		k.Rows = k.Rows*31 + c.Version*uint64(c.Index+2)
		k.Newest = max(k.Newest, c.Index)
	}
	return k
}

// CompoID makes go-app build a new timeline for another room instead of changing
// every row of this one.
func (t *timeline) CompoID() string { return string(t.Key.Room) + t.Key.Lang }

func (t *timeline) OnMount(ctx app.Context) { t.view.mount(ctx, t) }

func (t *timeline) OnDismount() { t.view.dismount() }

// OnUpdate runs before the rows change and remembers what the reader looks at.
func (t *timeline) OnUpdate(ctx app.Context) { t.view.hold(ctx) }

func (t *timeline) Render() app.UI {
	r := t.s.view.Room
	w := t.s.w.Room
	if r == nil || r.ID != t.Key.Room { // the room is being left
		return app.Div().Class("timeline")
	}
	log := app.Div().Class("log").Attr("role", "log").Aria("label", say(w.Messages, "room", t.s.roomName(r.Kind, r.Name))).
		Aria("relevant", "additions").Aria("busy", r.Loading)
	called := made(r)
	return app.Div().Class("timeline").Body(
		app.Div().Class("scroller").ID("timeline").TabIndex(0).Aria("label", say(w.Messages, "room", t.s.roomName(r.Kind, r.Name))).Attr("role", "region").Body(
			app.Div().Class("content").ID("content").Body(
				t.top(r),
				log.Body(append(t.groups(r), &chunk{Key: chunkKey{Room: called, Version: r.Pending.Version, Index: pendingChunk, Active: t.activeIn(pendingChunk)}, s: t.s})...),
			),
		),
		t.pill(r),
	)
}

// top is what stands above the oldest row.
func (t *timeline) top(r *model.RoomView) app.UI {
	w := t.s.w
	box := app.Div().Class("top")
	switch {
	case r.LoadErr:
		return box.Body(app.P().Class("quiet").Body(app.Text(w.Room.OlderFailed+" "),
			app.Button().Type("button").Class("link").Text(w.Retry).OnClick(t.onOlder)))
	case r.More:
		return box.Body(app.Div().Class("older").Aria("hidden", "true").Body(skeletonRows()))
	}
	start := say(w.Room.Start, "room", t.s.roomName(r.Kind, r.Name))
	switch r.Kind {
	case chat.Private:
		start = say(w.Room.StartPrivate, "room", r.Name)
	case chat.Direct:
		start = say(w.Room.StartDirect, "name", r.Name)
	case chat.Public, chat.Self:
	}
	return box.Body(
		app.Div().Class("start").Body(
			app.Div().Class("start-icon").Body(t.s.roomFace(r)),
			app.P().Class("start-title").Text(start),
			app.P().Class("quiet").Text(w.Room.SayHello),
		),
		t.s.welcome(r),
	)
}

// made is the name of a room that someone made; a direct one has none of its own.
func made(r *model.RoomView) string {
	if r.Kind == chat.Direct {
		return ""
	}
	return r.Name
}

func (t *timeline) groups(r *model.RoomView) []app.UI {
	byIndex := make(map[int]model.Chunk, len(r.Chunks))
	filled := map[int]bool{}
	last := 0
	for _, c := range r.Chunks {
		byIndex[c.Index] = c
		filled[c.Index/group] = true
		last = max(last, c.Index)
	}
	out := make([]app.UI, 0, last/group+2)
	for g := range last/group + 1 {
		box := app.Div().Class("slot")
		if filled[g] {
			slots := make([]app.UI, 0, group)
			for i := g * group; i < (g+1)*group; i++ {
				slots = append(slots, &chunk{Key: chunkKey{Room: made(r), Version: byIndex[i].Version, Index: i, Active: t.activeIn(i)}, s: t.s})
			}
			box.Body(slots...)
		}
		out = append(out, box)
	}
	return out
}

// activeIn returns the active row if it is in the chunk.
func (t *timeline) activeIn(index int) string {
	if len(t.active) > 2 {
		switch t.active[:2] {
		case "m-":
			if n, err := strconv.Atoi(t.active[2:]); err == nil && n/model.ChunkSize == index {
				return t.active
			}
		case "p-":
			if index == pendingChunk {
				return t.active
			}
		}
	}
	return ""
}

// pill leads to what is new, when that is out of sight.
func (t *timeline) pill(r *model.RoomView) app.UI {
	holder := app.Div().Class("pill-holder")
	if t.view.atEnd {
		return holder
	}
	w := t.s.w.Room
	if r.Unread > 0 {
		return holder.Body(app.Button().Type("button").Class("pill").OnClick(t.onPill).Body(icon("arrow-down"), app.Span().Text(w.Jump.N(r.Unread))))
	}
	return holder.Body(app.Button().Type("button").Class("pill round").Aria("label", w.ToEnd).Title(w.ToEnd).OnClick(t.onPill).Body(icon("arrow-down"), app.Span()))
}

func (t *timeline) onPill(app.Context, app.Event) { t.view.jump() }

func (t *timeline) onOlder(app.Context, app.Event) { t.s.do.LoadOlder(t.Key.Room) }

// A chunk is one place of a timeline.
type chunk struct {
	app.Compo
	Key chunkKey
	s   *shell
}

type chunkKey struct {
	Room    string
	Version uint64
	Index   int
	Active  string
}

// pendingChunk is the place of what is not appended yet.
const pendingChunk = -1

func (c *chunk) Render() app.UI {
	box := app.Div().Class("slot")
	rows := c.rows()
	out := make([]app.UI, len(rows))
	for i, r := range rows {
		out[i] = &row{Row: r, Active: c.Key.Active != "" && c.Key.Active == rowID(r), Room: c.Key.Room, s: c.s}
	}
	return box.Body(out...)
}

func (c *chunk) rows() []model.Row {
	room := c.s.view.Room
	if room == nil {
		return nil
	}
	if c.Key.Index == pendingChunk {
		return room.Pending.Rows
	}
	for _, k := range room.Chunks {
		if k.Index == c.Key.Index {
			return k.Rows
		}
	}
	return nil
}
