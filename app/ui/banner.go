package ui

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/model"
)

// banner says what is wrong with the connection, once it has lasted, what is done about
// it and what one can do. One thing at a time, the most important first.
func (s *shell) banner() app.UI {
	w, c := s.w.Conn, s.view.Connection
	bar := app.Div().Class("banner").Attr("role", "status")
	switch {
	case s.view.Session == model.SessionEnded:
		return bar.DataSet("kind", "ended").Body(icon("log-out"), app.Span().Text(w.Ended), s.bannerButton(w.SignInAgain, s.onSignInAgain))
	case s.update:
		return bar.DataSet("kind", "update").Body(icon("refresh-cw"), app.Span().Text(w.Update), s.bannerButton(w.Reload, s.onReload))
	case c.Pretend:
		return bar.DataSet("kind", "pretend").Body(icon("wifi-off"), app.Span().Text(s.w.Stats.Pretending), s.bannerButton(s.w.Stats.Return, s.onPretend))
	case c.CatchUp && c.State == model.Open:
		return bar.DataSet("kind", "catchup").Body(icon("refresh-cw"), app.Span().Text(w.CatchingUp))
	case !c.Trouble:
		return bar.DataSet("kind", "none")
	case c.State == model.Offline && c.Outbox > 0:
		return bar.DataSet("kind", "offline").Body(icon("wifi-off"), app.Span().Text(w.OfflineOutbox.N(c.Outbox)))
	case c.State == model.Offline:
		return bar.DataSet("kind", "offline").Body(icon("wifi-off"), app.Span().Text(w.OfflineKeep))
	case c.State == model.Waiting && c.Reason.Code == model.ReasonPortal:
		return bar.DataSet("kind", "waiting").Body(icon("wifi-off"), app.Span().Text(w.Portal), s.bannerButton(w.TryNow, s.onTryNow))
	case c.State == model.Waiting:
		return bar.DataSet("kind", "waiting").Body(icon("wifi-off"), &countdown{Until: c.NextTry, Lang: s.w.Lang, s: s}, s.bannerButton(w.TryNow, s.onTryNow))
	}
	return bar.DataSet("kind", "connecting").Body(icon("refresh-cw"), app.Span().Text(w.Reconnecting))
}

func (s *shell) bannerButton(label string, h app.EventHandler) app.UI {
	return app.Button().Type("button").Class("link").Text(label).OnClick(h, app.EventScope(label))
}

func (s *shell) onSignInAgain(app.Context, app.Event) { s.door = true }

func (s *shell) onReload(ctx app.Context, _ app.Event) {
	if s.compose != nil {
		s.compose.keepDraft()
	}
	ctx.Reload()
}

func (s *shell) onTryNow(app.Context, app.Event) { s.do.TryNow() }

// A countdown says when the next try is, each second.
type countdown struct {
	app.Compo
	Until time.Time
	Lang  string
	s     *shell
}

func (c *countdown) OnMount(ctx app.Context) { c.tick(ctx) }

// tick ends by itself: a Dispatch to what is not on the page any more does nothing.
func (c *countdown) tick(ctx app.Context) { ctx.After(time.Second, c.tick) }

func (c *countdown) Render() app.UI {
	left := int(time.Until(c.Until).Seconds() + 0.999)
	return app.Span().Text(c.s.w.Conn.Retrying.N(max(0, left)))
}

func itoa(n int) string { return strconv.Itoa(n) }
