package ui

import (
	"context"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// The lab is the page on which the four ways run side by side.
type lab struct {
	app.Compo
	Key labKey
	s   *shell
}

type labKey struct {
	Run                 int
	Version             uint64
	Running, Open       bool
	Lang, Copied, Fault string
}

// A labRun is what the lab is at, or came to.
type labRun struct {
	n     int    // counts the runs
	stop  func() // ends the present one; nil when there is none
	now   *model.Lab
	fault string
}

func (s *shell) labKey() labKey {
	k := labKey{Run: s.bench.n, Running: s.bench.stop != nil, Open: s.view.Connection.State == model.Open, Lang: s.w.Lang, Copied: s.copied, Fault: s.bench.fault}
	if s.bench.now != nil {
		k.Version = s.bench.now.Version
	}
	return k
}

// OnDismount ends what nobody watches.
func (l *lab) OnDismount() { l.s.stopLab() }

func (s *shell) stopLab() {
	if s.bench.stop != nil {
		s.bench.stop()
		s.bench.stop = nil
	}
}

func (l *lab) onStop(app.Context, app.Event) { l.s.stopLab() }

func (l *lab) onStart(ctx app.Context, _ app.Event) {
	s := l.s
	s.stopLab()
	bounded, cancel := context.WithCancel(context.Background())
	s.bench = labRun{n: s.bench.n + 1, stop: cancel}
	n := s.bench.n
	ctx.Async(func() {
		defer cancel()
		err := s.do.Lab(bounded, model.LabSpan, func(m *model.Lab) {
			ctx.Dispatch(func(app.Context) {
				if s.bench.n == n && s.bench.stop != nil {
					s.bench.now = m
				}
			})
		})
		stopped := bounded.Err() != nil
		ctx.Dispatch(func(app.Context) {
			if s.bench.n != n {
				return
			}
			s.bench.stop = nil
			if err != nil && !stopped {
				s.bench.fault = s.w.fault(err)
			}
		})
	})
}

func (l *lab) onCopy(ctx app.Context, _ app.Event) {
	if m := l.s.bench.now; m != nil {
		l.s.copyOf(ctx, l.s.labReport(m, time.Now()))
	}
}

func (l *lab) Render() app.UI {
	s, w := l.s, l.s.w.Lab
	m := s.bench.now
	if m == nil {
		m = &model.Lab{Every: model.LabSpan / 10}
		for i, v := range model.LabOrder {
			m.Ways[i].Via = v
		}
	}
	cards := make([]app.UI, 0, len(m.Ways))
	for i := range m.Ways {
		cards = append(cards, s.labCard(m, &m.Ways[i]))
	}
	return app.Section().Class("lab").DataSet("running", strconv.FormatBool(s.bench.stop != nil)).Body(
		app.Div().Class("settings-head").Body(
			app.A().Class("icon-button").Href(below("/settings/connection")).Aria("label", s.w.Back).Body(icon("arrow-left")),
			app.H1().Text(w.Title),
		),
		app.Div().Class("lab-body").Body(
			app.P().Class("lab-lead").Text(w.Lead),
			l.controls(m),
			app.P().Class("lab-advice").Attr("role", "status").Text(l.verdict(m)),
			app.Div().Class("lab-ways").Body(cards...),
			l.table(m),
		),
	)
}

// controls starts and stops, and shows how far it is.
func (l *lab) controls(m *model.Lab) app.UI {
	s, w := l.s, l.s.w.Lab
	left := int((m.Span - m.Spent + time.Second - 1) / time.Second)
	running := s.bench.stop != nil
	ic, label, do := "rotate-cw", w.Start, l.onStart
	switch {
	case running:
		ic, label, do = "x", w.Stop, l.onStop
	case s.bench.now != nil:
		label = w.Again
	}
	span := m.Span
	if span == 0 {
		span = model.LabSpan
	}
	said := ""
	switch {
	case running && s.bench.now != nil:
		said = say(w.Left, "n", itoa(left))
	case s.view.Connection.State != model.Open:
		said = w.NeedOpen
	}
	copied, sign := w.Copy, "copy"
	if s.copied != "" {
		copied, sign = s.copied, "check"
	}
	return app.Div().Class("lab-controls").Body(
		app.Button().Type("button").ID("lab-do").Class("button primary").Disabled(!running && s.view.Connection.State != model.Open).
			OnClick(do, app.EventScope(running)).Body(icon(ic), app.Span().Text(label)),
		app.Button().Type("button").ID("lab-copy").Class("button").Disabled(!m.Over).OnClick(l.onCopy).Body(icon(sign), app.Span().Text(copied)),
		app.Elem("progress").Class("lab-progress").Attr("max", itoa(int(span/time.Millisecond))).Attr("value", itoa(int(m.Spent/time.Millisecond))).Aria("label", w.Title),
		app.Span().Class("quiet lab-left").Text(said),
	)
}

// verdict is the one sentence that it comes to.
func (l *lab) verdict(m *model.Lab) string {
	w := l.s.w
	switch {
	case l.s.bench.fault != "":
		return l.s.bench.fault
	case m.Over:
		return w.advice(m)
	case l.s.bench.stop != nil:
		return "\u00a0"
	case l.s.bench.now != nil:
		return w.Lab.Early
	}
	return w.Lab.Ready
}

// toLab is the way to it from the Connection page.
func (s *shell) toLab() app.UI {
	return app.Section().Class("block to-lab").Body(
		app.H2().Text(s.w.Lab.Title),
		app.P().Class("quiet").Text(s.w.Lab.Lead),
		app.A().Class("button").ID("to-lab").Href(below("/lab")).Body(viaIcon(chat.WebSocket), app.Span().Text(s.w.Lab.Open)),
	)
}
