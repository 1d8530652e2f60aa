package ui

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/model"
)

// turns is what happened in the last hour, newest first.
func (s *shell) turns(list []model.Turn) app.UI {
	if len(list) == 0 {
		return app.P().Class("quiet").Text(s.w.Stats.Quiet)
	}
	rows := make([]app.UI, len(list))
	for i, t := range list {
		rows[i] = app.Li().Class("turn").DataSet("good", strconv.FormatBool(t.Kind.Good())).Body(
			app.Elem("time").Text(s.dates.Clock(t.At)), app.Span().Class("dot"), app.Span().Text(s.w.turn(t)))
	}
	return app.Elem("ol").Class("turns").Body(rows...)
}

// turn says in sentences what happened.
func (w *Words) turn(t model.Turn) string {
	said := sentence(say(w.happened(t), "way", w.within(t.Via), "from", w.within(t.From), "time", w.span(t.Age)))
	switch t.Why.Code {
	case model.ReasonBetter:
		said += w.gap() + w.Stats.Better
	case model.ReasonBest, "":
	default:
		if t.Kind == model.TurnSwitched || t.Kind == model.TurnOpened && t.Why.Code != model.ReasonChosen {
			said += w.gap() + w.reason(model.Connection{Via: t.Via, Reason: t.Why})
		}
	}
	if t.Times > 1 {
		said = say(w.Stats.Times, "what", said, "n", itoa(t.Times))
	}
	return said
}

// happened is what the first sentence is made of.
func (w *Words) happened(t model.Turn) string {
	switch t.Kind {
	case model.TurnOpened:
		return w.Stats.Opened
	case model.TurnSwitched:
		return w.Stats.Switched
	case model.TurnTried:
		return w.Stats.Tried
	case model.TurnTold:
		return w.Stats.Told
	case model.TurnDropped:
		return w.Stats.Dropped
	case model.TurnPretend:
		return w.Stats.Pretended
	case model.TurnReturned:
		return w.Stats.Returned
	case model.TurnOffline:
		return w.Stats.WentOffline
	case model.TurnOnline:
		return w.Stats.WentOnline
	case model.TurnWoke:
		return w.Stats.Woke
	case model.TurnLost:
	}
	switch {
	case t.Why.Code == model.ReasonPortal:
		return w.Conn.Portal
	case t.Why.Code == model.ReasonHeld:
		return w.Stats.Held1
	case t.Why.Code == model.ReasonBlocked:
		return w.Stats.Blocked
	case t.Why.Code == model.ReasonNeverOpened:
		return w.Stats.NeverOpened
	case t.Age == 0:
		return w.Stats.Unreached
	case t.Why.Code == model.ReasonDied:
		return w.Stats.Died
	case t.Why.Code == model.ReasonCut:
		return w.Stats.Cut
	}
	return w.Stats.Lost
}

// gap stands between two sentences.
func (w *Words) gap() string {
	if w.Lang == "en" {
		return " "
	}
	return ""
}

// span is a length of time, in the largest unit that it has one of.
func (w *Words) span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d >= time.Hour:
		return say(w.Stats.Hours, "n", itoa(int(d/time.Hour)))
	case d >= time.Minute:
		return say(w.Stats.Minutes, "n", itoa(int(d/time.Minute)))
	}
	return say(w.Stats.Seconds, "n", itoa(int(d/time.Second)))
}
