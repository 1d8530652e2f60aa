package ui

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// Bounds of the polling interval that can be chosen.
const (
	shortestPoll = 1
	longestPoll  = 60
	defaultPoll  = 3
)

// connection is the page on which the way is chosen. It applies at once.
func (s *shell) connection() app.UI {
	w, c := s.w, s.view.Connection
	cards := []app.UI{
		app.Legend().Text(w.Conn.Way),
		s.wayCard("", "rotate-cw", w.Conn.Auto, w.Conn.AutoHint),
	}
	hints := map[chat.Via]string{chat.WebSocket: w.Conn.WebSocketHint, chat.EventSource: w.Conn.EventSourceHint,
		chat.LongPoll: w.Conn.LongPollHint, chat.Poll: w.Conn.PollHint}
	for _, v := range chat.Vias {
		cards = append(cards, s.wayCard(v, "via-"+string(v), w.way(v), hints[v]))
	}
	return app.Div().Class("page").Body(
		app.Div().Class("now").DataSet("state", string(c.State)).Body(
			app.Div().Class("now-head").Body(viaIcon(via(c)), app.Strong().Text(w.way(c.Via)), app.Span().Class("now-state").Body(app.Span().Class("dot"), app.Text(w.state(c.State)))),
			app.P().Attr("role", "status").Text(w.reason(c)),
			app.Dl().Class("facts").Body(
				app.Dt().Text(w.Conn.Since), app.Dd().Text(s.dates.Clock(c.Since)),
				app.Dt().Text(w.Conn.RTT), app.Dd().Text(w.rtt(c)),
			),
		),
		app.FieldSet().Class("choices").ID("ways").Body(cards...),
		s.interval(),
		app.P().Class("quiet").Text(w.Conn.Applies),
		s.whole(), // below what one presses: its sentence comes and goes
		s.toLab(),
		s.measures(),
	)
}

// wayCard is one radio button; "" is Auto.
func (s *shell) wayCard(v chat.Via, ic, name, hint string) app.UI {
	now := s.view.Connection.Choice
	on := now.Auto && v == "" || !now.Auto && v != "" && now.Via == v
	id := "way-auto"
	if v != "" {
		id = "way-" + string(v)
	}
	return choice("way", id, ic, name, hint, on, s.uses(v))
}

func (s *shell) uses(v chat.Via) app.EventHandler {
	return func(app.Context, app.Event) {
		every := s.view.Connection.Choice.Every
		if every == 0 {
			every = defaultPoll * time.Second
		}
		s.do.Use(model.Choice{Auto: v == "", Via: v, Every: every})
	}
}

// interval sets how often to ask, when asking is what was chosen.
func (s *shell) interval() app.UI {
	w, c := s.w.Conn, s.view.Connection.Choice
	if c.Auto || c.Via != chat.Poll {
		return app.Div().Class("interval none")
	}
	secs := int(c.Every / time.Second)
	if secs == 0 {
		secs = defaultPoll
	}
	return app.Div().Class("interval").Body(
		app.Label().For("every").Text(w.Every),
		app.Input().ID("every").Type("range").Min(shortestPoll).Max(longestPoll).Step(1).Value(strconv.Itoa(secs)).
			Aria("valuetext", say(w.EverySeconds, "n", strconv.Itoa(secs))).OnChange(s.onEvery),
		app.Output().For("every").Text(say(w.EverySeconds, "n", strconv.Itoa(secs))),
	)
}

func (s *shell) onEvery(ctx app.Context, _ app.Event) {
	secs, err := strconv.Atoi(ctx.JSSrc().Get("value").String())
	if err != nil {
		return
	}
	secs = min(max(secs, shortestPoll), longestPoll)
	s.do.Use(model.Choice{Via: chat.Poll, Every: time.Duration(secs) * time.Second})
}
