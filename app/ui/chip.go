package ui

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// The chip shows the way in use, its state and how long there and back takes.
// Its dot beats once for each batch that came. A card with the reason opens
// from it; the browser opens and closes that.
type chip struct {
	app.Compo
	Key chipKey
	s   *shell
}

type chipKey struct {
	Conn uint64
	Lang string
}

func (s *shell) chipKey() chipKey { return chipKey{s.view.Connection.Version, s.w.Lang} }

func (c *chip) Render() app.UI {
	w, conn := c.s.w, c.s.view.Connection
	state := w.state(conn.State)
	// Two names for one animation: changing between them starts it again.
	beat := "beat-" + strconv.FormatUint(conn.Batches%2, 10)
	return app.Div().Class("chip-holder").Body(
		app.Button().Type("button").Class("chip-button chip").ID("chip").DataSet("state", string(conn.State)).DataSet("via", string(conn.Via)).
			Attr("popovertarget", "chip-card").Title(w.reason(conn)).Body(
			app.Span().Class("dot", beat),
			viaIcon(via(conn)),
			app.Span().Class("offscreen").Text(w.Conn.Label),
			app.Span().Class("chip-name").Text(w.short(conn, state)),
			app.Span().Class("chip-rtt").Text(c.rtt(conn)),
			app.Span().Class("offscreen").Text(state),
		),
		app.Div().Class("menu card").ID("chip-card").Attr("popover", "auto").Body(
			app.Div().Class("card-head").Body(viaIcon(via(conn)), app.Strong().Text(w.way(conn.Via)), app.Span().Class("quiet").Text(state)),
			app.P().Text(w.reason(conn)),
			app.Dl().Class("facts").Body(
				app.Dt().Text(w.Conn.Since), app.Dd().Text(c.s.dates.Clock(conn.Since)),
				app.Dt().Text(w.Conn.RTT), app.Dd().Text(w.rtt(conn)),
			),
			app.A().Class("link").Href(below("/settings/connection")).Text(w.Conn.Details),
		),
	)
}

func via(c model.Connection) chat.Via {
	if c.Via == "" {
		return chat.WebSocket
	}
	return c.Via
}

func (c *chip) rtt(conn model.Connection) string {
	if conn.State != model.Open || conn.RTT == 0 {
		return ""
	}
	return c.s.w.ms(conn.RTT)
}

func (w *Words) rtt(c model.Connection) string {
	if c.State != model.Open || c.RTT == 0 {
		return w.Conn.NotMeasured
	}
	return w.ms(c.RTT)
}

func (w *Words) ms(d time.Duration) string {
	return say(w.Conn.Ms, "n", strconv.FormatInt(max(1, d.Milliseconds()), 10))
}

func (w *Words) state(s model.ConnState) string {
	switch s {
	case model.Open:
		return w.Conn.Open
	case model.Waiting:
		return w.Conn.Waiting
	case model.Offline:
		return w.Conn.Offline
	case model.Connecting:
	}
	return w.Conn.Connecting
}

// within names a transport within a sentence.
func (w *Words) within(v chat.Via) string {
	switch v {
	case chat.LongPoll:
		return w.Conn.LongPollWithin
	case chat.Poll:
		return w.Conn.PollWithin
	case chat.WebSocket, chat.EventSource:
	}
	return w.way(v)
}

// short is what fits on the chip: the way while it works, else the state.
func (w *Words) short(c model.Connection, state string) string {
	if c.State != model.Open {
		return state
	}
	switch c.Via {
	case chat.WebSocket:
		return w.Conn.WebSocketShort
	case chat.EventSource:
		return w.Conn.EventSourceShort
	case chat.LongPoll:
		return w.Conn.LongPollShort
	case chat.Poll:
	}
	return w.Conn.PollShort
}

// reason says in one sentence why this way is in use.
func (w *Words) reason(c model.Connection) string {
	var s string
	switch c.Reason.Code {
	case model.ReasonChosen:
		s = w.Conn.Chosen
	case model.ReasonBest:
		s = w.Conn.Best
	case model.ReasonNeverOpened:
		s = w.Conn.NeverOpened
	case model.ReasonDied:
		s = w.Conn.Died
	case model.ReasonBlocked:
		s = w.Conn.Blocked
	case model.ReasonHeld:
		s = w.Conn.Held
	case model.ReasonCut:
		s = w.Conn.Cut
		if c.Reason.After > 0 {
			s = w.Conn.CutAfter
		}
	case model.ReasonKept:
		s = w.Conn.Kept
	case model.ReasonPortal:
		s = w.Conn.Portal
	case model.ReasonTrying:
		s = w.Conn.Trying
	default:
		return w.Conn.AutoHint
	}
	return sentence(say(s, "way", w.within(c.Via), "failed", w.within(c.Reason.Failed),
		"n", itoa(int(c.Reason.After/time.Second)), "every", itoa(int(c.Reason.Every/time.Second))))
}

// sentence begins s as a sentence does, whatever was filled in.
func sentence(s string) string {
	s = spaced(s)
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}
