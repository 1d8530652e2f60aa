package ui

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/model"
)

// A roomRow is one row of the sidebar. Each is a component, so that a message in one
// of many rooms draws one row again.
type roomRow struct {
	app.Compo
	Key roomRowKey
	s   *shell
}

type roomRowKey struct {
	Item    model.RoomItem
	Current bool
	Lang    string
}

func (s *shell) roomRow(r model.RoomItem, elsewhere bool) app.UI {
	return &roomRow{Key: roomRowKey{Item: r, Current: r.ID == s.asked && !elsewhere, Lang: s.w.Lang}, s: s}
}

func (b *roomRow) Render() app.UI {
	r, w := b.Key.Item, b.s.w.Sidebar
	class := []string{"item"}
	if r.Unread > 0 && !b.Key.Current {
		class = append(class, "unread")
	}
	last := r.Last
	if r.Draft != "" && !b.Key.Current {
		class = append(class, "drafted")
		last = say(w.Draft, "text", brief(r.Draft))
	}
	link := app.A().Class(class...).Href(roomPath(r.ID)).Body(
		b.face(r),
		app.Span().Class("item-name").Title(r.Name).Text(r.Name),
		app.Span().Class("item-time").Text(b.time(r.LastAt)),
		app.Span().Class("item-last").Text(last),
		b.badge(r),
	)
	if b.Key.Current {
		link.Aria("current", "page")
	}
	return app.Li().Body(link)
}

// time is "" of a newest message whose time can not be told, which is no reason to lose the row, and with it the screen.
func (b *roomRow) time(t time.Time) string {
	defer report()
	if t.IsZero() {
		return ""
	}
	return b.s.dates.Brief(t, time.Now())
}

func (b *roomRow) face(r model.RoomItem) app.UI {
	if r.Peer == "" {
		return app.Span().Class("face").Body(roomIcon(r.Kind))
	}
	return app.Span().Class("face").Body(avatar(r.Peer, r.Name), b.s.presence(r.Online))
}

func (b *roomRow) badge(r model.RoomItem) app.UI {
	switch {
	case r.Unread > 0 && !b.Key.Current:
		return app.Span().Class("badge").Attr("role", "img").Aria("label", b.s.w.Sidebar.Unread.N(r.Unread)).Text(count(r.Unread))
	case r.Draft != "" && !b.Key.Current:
		return app.Span().Class("draft-mark").Body(icon("pencil"))
	}
	return app.Span().Class("badge none")
}

// count writes a number for a small badge.
func count(n int) any {
	if n > 99 {
		return "99+"
	}
	return n
}

// brief is the beginning of a draft, in one line.
func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
