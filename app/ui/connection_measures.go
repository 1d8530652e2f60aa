package ui

import (
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/model"
)

// measures is the part of the Connection page that moves: what is measured while
// someone looks, what happened, and what one can try. The engine measures while it is on the page.
type measures struct {
	app.Compo
	Key measuresKey
	s   *shell
}

type measuresKey struct {
	Conn         uint64
	Lang, Copied string
}

func (s *shell) measures() app.UI {
	return &measures{Key: measuresKey{s.view.Connection.Version, s.w.Lang, s.copied}, s: s}
}

func (m *measures) OnMount(app.Context) { m.s.do.Measure(true) }

func (m *measures) OnDismount() { m.s.do.Measure(false) }

func (m *measures) Render() app.UI {
	s, w, c := m.s, m.s.w.Stats, m.s.view.Connection
	st := c.Stats
	if st == nil { // for a moment, until the engine has looked
		st = &model.Stats{}
	}
	facts := make([]app.UI, 0, 20)
	for _, f := range s.w.facts(c, st) {
		facts = append(facts, app.Dt().Text(f.name), app.Dd().Text(f.value))
	}
	return app.Div().Class("measures").Body(
		app.Section().Class("block").Body(
			app.H2().Text(w.Title),
			app.Div().Class("sparks").Body(
				s.trips(st), s.lag(st),
				s.counts("sparks-messages", w.Messages, st.Messages, 4, itoa),
				s.counts("sparks-requests", w.Requests, st.Requests, 4, itoa),
				s.counts("sparks-received", w.Received, st.Received, 1000, bytes),
				s.counts("sparks-sent", w.Sent, st.Sent, 1000, bytes),
				s.counts("sparks-reconnects", w.Reconnected, st.Reconnects, 4, itoa),
			),
			app.P().Class("quiet").Text(w.BytesHint),
		),
		app.Section().Class("block").Body(
			app.H2().Text(w.Facts),
			app.Dl().Class("facts details").ID("facts").Body(facts...),
		),
		app.Section().Class("block").Body(app.H2().Text(w.Past), s.turns(st.Turns)),
		app.Section().Class("block").Body(
			app.H2().Text(w.Try),
			app.P().Class("quiet").Text(w.TryLead),
			app.Div().Class("tries").Body(
				app.Button().Type("button").ID("drop").Class("button").Disabled(c.State != model.Open).OnClick(m.onDrop).Text(w.Drop),
				m.pretender(c.Pretend),
			),
		),
		s.chaos(st),
		app.Section().Class("block").Body(
			app.H2().Text(w.ReportTitle),
			app.P().Class("quiet").Text(w.ReportLead),
			m.copier(),
		),
	)
}

func (m *measures) pretender(on bool) app.UI {
	label := m.s.w.Stats.Pretend
	if on {
		label = m.s.w.Stats.Return
	}
	return app.Button().Type("button").ID("pretend").Class("button").Aria("pressed", on).OnClick(m.s.onPretend).Body(icon("wifi-off"), app.Span().Text(label))
}

func (m *measures) copier() app.UI {
	ic, label := "copy", m.s.w.Stats.Report
	if m.s.copied != "" {
		ic, label = "check", m.s.copied
	}
	return app.Button().Type("button").ID("report").Class("button").Disabled(m.s.view.Connection.Stats == nil).OnClick(m.onCopy).Body(icon(ic), app.Span().Text(label))
}

func (m *measures) onDrop(app.Context, app.Event) { m.s.do.Drop() }

func (m *measures) onCopy(ctx app.Context, _ app.Event) {
	if c := m.s.view.Connection; c.Stats != nil {
		m.s.copyOf(ctx, m.s.report(c))
	}
}

func (s *shell) onPretend(app.Context, app.Event) { s.do.Pretend(!s.view.Connection.Pretend) }

// trips shows how long there and back took.
func (s *shell) trips(st *model.Stats) app.UI {
	w := s.w.Stats
	typical, slow := make([]float64, model.StatsLine), make([]float64, model.StatsLine)
	for i, t := range st.Trips {
		typical[i], slow[i] = -1, -1
		if t.Median > 0 {
			typical[i], slow[i] = float64(t.Median), float64(t.Slow)
		}
	}
	big, small, under := "–", s.w.Conn.NotMeasured, "\u00a0"
	if st.Samples > 0 {
		big, small, under = s.w.ms(st.Median), w.Typical, say(w.Slow, "time", s.w.ms(st.Slow))
	}
	pic := spark{
		of: s.w.Conn.RTT + ": " + big + " " + small + ", " + under, least: float64(5 * time.Millisecond),
		lines: []sparkLine{{"spark-slow", slow}, {"spark-line", typical}},
	}
	most := ""
	if top := pic.top(); top > 0 {
		most = say(w.Most, "n", s.w.ms(time.Duration(top)))
	}
	return s.figure("sparks-rtt", s.w.Conn.RTT, big, small, under, most, w.TenAgo, pic)
}

// lag shows how much was there and had not come, whenever that was asked.
func (s *shell) lag(st *model.Stats) app.UI {
	w := s.w.Stats
	values, most := make([]float64, len(st.Lag)), -1
	for i, n := range st.Lag {
		values[i] = float64(n)
		most = max(most, n)
	}
	big, small, under := "–", s.w.Conn.NotMeasured, "\u00a0"
	if most >= 0 {
		big, small, under = itoa(st.Behind), w.NotHere, say(w.LagMost, "n", itoa(most))
	}
	return s.figure("sparks-lag", w.Lag, big, small, under, say(w.Most, "n", itoa(max(most, 0))), w.TenAgo, spark{
		of: w.Lag + ": " + big + " " + small + ", " + under, least: 4, lines: []sparkLine{{"spark-line", values}},
	})
}

// counts shows how much of something there was in each minute, as amount says it; least is what the height stands for at least.
func (s *shell) counts(id, name string, of [model.StatsLine]int, least float64, amount func(int) string) app.UI {
	w := s.w.Stats
	values, most := make([]float64, len(of)), 0
	for i, n := range of {
		values[i] = float64(n)
		most = max(most, n)
	}
	big, under := amount(of[len(of)-1]), say(w.LastHour, "n", amount(sum(of)))
	return s.figure(id, name, big, w.ThisMinute, under, say(w.Most, "n", amount(most)), w.HourAgo, spark{
		of: name + ": " + big + " " + w.ThisMinute + ", " + under, least: least, bars: true, lines: []sparkLine{{"spark-bars", values}},
	})
}

func (s *shell) figure(id, name, big, small, under, most, from string, pic spark) app.UI {
	return app.Elem("figure").Class("figure").ID("%s", id).Body(
		app.Elem("figcaption").Text(name),
		app.Div().Class("figure-now").Body(app.Strong().Text(big), app.Span().Class("quiet").Text(small)),
		pic.draw(),
		app.Div().Class("figure-axis").Aria("hidden", "true").Body(app.Span().Text(from), app.Span().Text(most), app.Span().Text(s.w.Conn.Now)),
		app.P().Class("quiet").Text(under),
	)
}

// A fact is one line of the table.
type fact struct{ name, value string }

// facts are the lines of the table, of the page and of the report.
func (w *Words) facts(c model.Connection, st *model.Stats) []fact {
	t, s := w.Stats, st.Server
	proxies, http, version, node := t.NotKnown, t.NotKnown, t.NotKnown, t.NotKnown
	if s.Node != "" {
		http, version, node = say(t.HTTPSeen, "http", strings.TrimSuffix(s.Protocol, ".0")), s.Version, s.Node
		switch {
		case len(s.Proxies) > 0:
			proxies = say(t.NamedProxies, "n", itoa(s.Hops), "names", strings.Join(s.Proxies, ", "))
		case s.Hops > 0:
			proxies = say(t.SomeProxies, "n", itoa(s.Hops))
		default:
			proxies = t.NoProxies
		}
	}
	return []fact{
		{t.Level, w.level(c, st)},
		{t.Held, map[model.Verdict]string{model.Unknown: t.NotKnown, model.Yes: t.HeldYes, model.No: t.HeldNo}[st.Buffers]},
		{t.Proxies, proxies},
		{t.HTTP, http},
		{t.Version, version},
		{t.Node, node},
	}
}

// level says whether what is shown is all that there is.
func (w *Words) level(c model.Connection, st *model.Stats) string {
	switch {
	case c.State != model.Open || st.Last.IsZero():
		return w.Stats.LevelUnsure
	case st.Behind > 0:
		return say(w.Stats.LevelNot, "n", itoa(st.Behind))
	case c.CatchUp:
		return w.Conn.CatchingUp
	}
	return spaced(say(w.Stats.LevelYes, "time", w.span(max(time.Second, st.At.Sub(st.Last)))))
}

func bytes(n int) string { return size(int64(n)) }

// size is a number of bytes as people say it.
func size(n int64) string {
	v, unit := float64(n), 0
	for v >= 1000 && unit < 3 {
		v, unit = v/1000, unit+1
	}
	digits := 0
	if unit > 0 && v < 100 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + [...]string{"B", "kB", "MB", "GB"}[unit]
}
