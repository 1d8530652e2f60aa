package ui

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/model"
)

// whole says whether anything is missing, and lets a person look again.
func (s *shell) whole() app.UI {
	w, c := s.w.Whole, s.view.Connection
	state, sign := wholeState(c.Whole)
	var mended app.UI = app.P().Class("none")
	if n := c.Whole.Repaired; n > 0 {
		mended = app.P().Class("quiet").Text(w.Mended.N(n))
	}
	return app.Section().Class("whole").DataSet("state", state).Aria("label", w.Title).Body(
		app.Div().Class("whole-head").Attr("role", "status").Body(icon(sign), app.Strong().Text(s.w.whole(c.Whole, s.dates))),
		mended,
		app.P().Class("quiet").Text(w.Lead),
		app.Button().Type("button").ID("whole-again").Class("button").Disabled(c.Whole.Running || c.State != model.Open).
			OnClick(s.onWhole).Body(icon("refresh-cw"), app.Span().Text(w.Again)),
	)
}

func (s *shell) onWhole(app.Context, app.Event) { s.do.Check() }

// wholeState names what is known, and its icon.
func wholeState(i model.Integrity) (state, sign string) {
	switch {
	case i.Running:
		return "running", "clock"
	case i.At.IsZero():
		return "unknown", "clock"
	case !i.OK:
		return "bad", "circle-alert"
	}
	return "ok", "check"
}

// whole says in a sentence whether anything is missing.
func (w *Words) whole(i model.Integrity, d *dates) string {
	switch state, _ := wholeState(i); state {
	case "running":
		return w.Whole.Running
	case "unknown":
		return w.Whole.NotYet
	case "bad":
		return w.Whole.Bad
	}
	return w.Whole.Complete.N(i.Checked, "events", grouped(i.Checked), "time", d.Brief(i.At, time.Now()))
}

// grouped writes a number as both languages do: 1,204.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
