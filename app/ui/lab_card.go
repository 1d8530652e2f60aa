package ui

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// The pictures of all cards have the same axes, so that they can be compared by eye.
const (
	labWidth  = 240
	labHeight = 80
	labSlots  = 26               // messages that there is space for
	labFrom   = time.Millisecond // the foot of the first picture; each quarter of its height is ten times more
	labTo     = 10_000 * labFrom // its top
	labBars   = len(model.LabBounds) + 1
)

// labCard is one of the four columns.
func (s *shell) labCard(m *model.Lab, l *model.LabWay) app.UI {
	w := s.w
	what := map[chat.Via]string{
		chat.Poll: say(w.Lab.WhatPoll, "n", itoa(int(max(m.Every, time.Second)/time.Second))), chat.LongPoll: w.Lab.WhatLongPoll,
		chat.EventSource: w.Lab.WhatEventSource, chat.WebSocket: w.Lab.WhatWebSocket,
	}[l.Via]
	big, small, under := "–", "", "\u00a0"
	switch {
	case l.Came > 0:
		big, small, under = w.labTime(l.Median), w.Stats.Typical, say(w.Stats.Slow, "time", w.labTime(l.Slow))
	case s.bench.stop != nil && l.State == model.LabTrying:
		small = w.Lab.Trying
	case s.bench.now != nil && l.State == model.LabShut:
		small = w.Lab.Shut
	}
	rate, found := "–", "\u00a0"
	if m.Spent > 0 {
		rate = itoa(labRate(m, l.Requests))
	}
	if m.Over {
		found = w.finding(m, l)
	}
	name := w.way(l.Via)
	return app.Article().Class("lab-way figure").ID("lab-%s", string(l.Via)).DataSet("shut", strconv.FormatBool(l.State == model.LabShut)).Body(
		app.Div().Class("lab-name").Body(viaIcon(l.Via), app.H2().Text(name)),
		app.P().Class("quiet lab-what").Text(what),
		app.Div().Class("figure-now").Body(app.Strong().Text(big), app.Span().Class("quiet").Text(small)),
		app.P().Class("quiet").Text(under),
		app.Div().Class("lab-plot lab-times").Body(
			plot(name+": "+w.Lab.EachMessage, "lab-stems", stems(l.Delays, max(labSlots, m.Sent)), hairlines()),
			app.Span().Class("lab-tick lab-tick-1").Aria("hidden", "true").Text(w.labTime(10*labFrom)),
			app.Span().Class("lab-tick lab-tick-2").Aria("hidden", "true").Text(w.labTime(100*labFrom)),
			app.Span().Class("lab-tick lab-tick-3").Aria("hidden", "true").Text(w.labTime(1000*labFrom)),
		),
		app.P().Class("quiet lab-caption").Text(w.Lab.EachMessage),
		app.Div().Class("lab-plot").Body(plot(name+": "+w.Lab.HowOften, "lab-bars", columns(l.Histogram, labMost(m)), "")),
		app.Div().Class("figure-axis").Aria("hidden", "true").Body(
			app.Span().Text(w.labTime(model.LabBounds[0])), app.Span().Text(w.labTime(model.LabBounds[labBars/2])), app.Span().Text(w.Lab.Beyond)),
		app.P().Class("quiet lab-caption").Text(w.Lab.HowOften),
		app.Div().Class("figure-now").Body(app.Strong().Text(rate), app.Span().Class("quiet").Text(w.Lab.PerMinute)),
		app.P().Class("lab-finding").Text(found),
	)
}

// plot is one picture: a shape in the accent over thin lines.
func plot(of, class, shape, lines string) app.UI {
	path := func(class, d string) app.UI {
		return app.Elem("path").XMLNS(svgNS).Attr("class", class).Attr("d", d)
	}
	return app.Elem("svg").XMLNS(svgNS).Attr("class", "spark lab-picture").Attr("viewBox", "0 0 "+itoa(labWidth)+" "+itoa(labHeight)).
		Attr("preserveAspectRatio", "none").Attr("role", "img").Aria("label", of).Body(path("lab-lines", lines), path(class, shape))
}

// stems are upright lines, one for each message that came, as high as its delay has digits.
func stems(delays []time.Duration, slots int) string {
	var b strings.Builder
	for i, d := range delays {
		if d >= 0 {
			x := (float64(i) + 0.5) * labWidth / float64(slots)
			b.WriteString("M" + coordinate(x) + " " + itoa(labHeight) + "V" + coordinate(labHeight*(1-labLevel(d))))
		}
	}
	return b.String()
}

// labLevel is where a delay stands between labFrom and labTo, on a scale of powers of ten.
func labLevel(d time.Duration) float64 {
	v := math.Log(float64(max(d, 1))/float64(labFrom)) / math.Log(float64(labTo)/float64(labFrom))
	return min(max(v, 0.03), 1)
}

// hairlines are at what is hardly felt, felt, and long.
func hairlines() string {
	var b strings.Builder
	for i := range 3 {
		b.WriteString("M0 " + itoa(labHeight*(i+1)/4) + "H" + itoa(labWidth))
	}
	return b.String()
}

// columns are the bars of a histogram of which the highest of all cards has most.
func columns(of [labBars]int, most int) string {
	var b strings.Builder
	const step = float64(labWidth) / float64(labBars)
	for i, n := range of {
		if n > 0 {
			high := max(2, float64(labHeight-4)*float64(n)/float64(most))
			b.WriteString("M" + coordinate(float64(i)*step+1) + " " + itoa(labHeight) + "v-" + coordinate(high) + "h" + coordinate(step-2) + "v" + coordinate(high) + "z")
		}
	}
	return b.String()
}

// labMost is the highest bar of all cards.
func labMost(m *model.Lab) int {
	most := 1
	for i := range m.Ways {
		for _, n := range m.Ways[i].Histogram {
			most = max(most, n)
		}
	}
	return most
}

// labRate is how many that were in a minute.
func labRate(m *model.Lab, n int64) int {
	if m.Spent <= 0 {
		return 0
	}
	return int(float64(n)*float64(time.Minute)/float64(m.Spent) + 0.5)
}

// labTime writes a delay with two digits or more.
func (w *Words) labTime(d time.Duration) string {
	switch {
	case d < 0 || d == 0:
		return "–"
	case d < 10*time.Millisecond:
		return say(w.Conn.Ms, "n", trimmed(float64(d)/float64(time.Millisecond)))
	case d < time.Second:
		return w.ms(d)
	}
	return say(w.Stats.Seconds, "n", trimmed(d.Seconds()))
}

// trimmed writes a number with one digit after the point, unless that is 0.
func trimmed(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}
