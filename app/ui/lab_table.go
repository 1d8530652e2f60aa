package ui

import (
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// A labRow is one line of the table, of the page and of what is copied.
type labRow struct {
	name  string
	cells [len(model.LabOrder)]string
}

// labRows are all lines.
func (w *Words) labRows(m *model.Lab) []labRow {
	t := w.Lab
	var rows []labRow
	row := func(name string, of func(l *model.LabWay) string) {
		r := labRow{name: name}
		for i := range m.Ways {
			r.cells[i] = of(&m.Ways[i])
		}
		rows = append(rows, r)
	}
	perMessage := func(bytes int64, l *model.LabWay) string {
		if l.Events == 0 {
			return "–"
		}
		return grouped(int(bytes / int64(l.Events)))
	}
	row(t.Came, func(l *model.LabWay) string { return say(t.CameOf, "n", itoa(l.Came), "of", itoa(m.Sent)) })
	row(t.Typical, func(l *model.LabWay) string { return w.labTime(l.Median) })
	row(t.Slow, func(l *model.LabWay) string { return w.labTime(l.Slow) })
	row(t.Answer, func(l *model.LabWay) string { return w.labTime(l.Answer) })
	row(t.Requests, func(l *model.LabWay) string { return itoa(labRate(m, l.Requests)) })
	row(t.Empty, func(l *model.LabWay) string { return itoa(l.Empty) })
	row(t.Up, func(l *model.LabWay) string { return perMessage(l.Up, l) })
	row(t.Down, func(l *model.LabWay) string { return perMessage(l.Down, l) })
	row(t.Breaks, func(l *model.LabWay) string { return itoa(l.Breaks) })
	if m.Costs == nil {
		return rows
	}
	cost := func(l *model.LabWay) (c chat.WayCost) {
		for _, of := range m.Costs.Ways {
			if of.Via == l.Via {
				c = of
			}
		}
		return c
	}
	row(t.Work, func(l *model.LabWay) string { return w.labTime(cost(l).Work) })
	row(t.Written, func(l *model.LabWay) string { return size(cost(l).Bytes) })
	row(t.Writes, func(l *model.LabWay) string { return strconv.FormatInt(cost(l).Writes, 10) })
	each := func(l *model.LabWay, write func(of chat.WayCost) string) string {
		switch c := cost(l); {
		case c.Open > 0:
			return write(c)
		case l.Via == chat.Poll && l.State == model.LabOpen: // between two requests
			return "0"
		}
		return "–"
	}
	row(t.Goroutines, func(l *model.LabWay) string {
		return each(l, func(c chat.WayCost) string { return trimmed(float64(c.Goroutines) / float64(c.Open)) })
	})
	row(t.Memory, func(l *model.LabWay) string {
		return each(l, func(c chat.WayCost) string { return size(c.Memory / c.Open) })
	})
	return rows
}

// labNotes say what the numbers are, and are not.
func (w *Words) labNotes(m *model.Lab) []string {
	t := w.Lab
	notes := []string{t.HowItIs, t.NoHeads}
	if m.HeadUp > 0 {
		notes[1] = say(t.Heads, "up", size(int64(m.HeadUp)), "down", size(int64(m.HeadDown)))
	}
	if c := m.Costs; c != nil {
		notes = append(notes, say(t.Process, "cpu", w.labTime(c.CPU), "heap", size(c.Heap), "n", itoa(c.Goroutines)), t.Holding, t.Everyone)
	}
	return notes
}

// table has all numbers, once it is over.
func (l *lab) table(m *model.Lab) app.UI {
	w := l.s.w
	if !m.Over {
		return app.Div().Class("none")
	}
	head := []app.UI{app.Elem("th").Attr("scope", "col").Text(w.Lab.Measure)}
	for i := range m.Ways {
		head = append(head, app.Elem("th").Attr("scope", "col").Text(w.way(m.Ways[i].Via)))
	}
	var body []app.UI
	for _, r := range w.labRows(m) {
		cells := []app.UI{app.Elem("th").Attr("scope", "row").Text(r.name)}
		for _, c := range r.cells {
			cells = append(cells, app.Elem("td").Text(c))
		}
		body = append(body, app.Elem("tr").Body(cells...))
	}
	notes := []app.UI{app.H2().Text(w.Lab.Table),
		app.Div().Class("lab-scroll").TabIndex(0).Attr("role", "region").Aria("label", w.Lab.Table).Body(
			app.Elem("table").ID("lab-table").Body(app.Elem("thead").Body(app.Elem("tr").Body(head...)), app.Elem("tbody").Body(body...)))}
	for _, n := range w.labNotes(m) {
		notes = append(notes, app.P().Class("quiet").Text(n))
	}
	return app.Section().Class("lab-numbers").Body(notes...)
}

// labReport is all of it as Markdown, about nobody.
func (s *shell) labReport(m *model.Lab, at time.Time) string {
	w := s.w
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteByte('\n')
	}
	row := func(first string, cells []string) { line("| ", first, " | ", strings.Join(cells, " | "), " |") }
	line("# ", w.Lab.Title)
	line()
	line(s.dates.Full(at))
	line()
	line("**", w.advice(m), "**")
	line()
	var names, rule []string
	for i := range m.Ways {
		names, rule = append(names, w.way(m.Ways[i].Via)), append(rule, "---:")
	}
	row(w.Lab.Measure, names)
	row("---", rule)
	for _, r := range w.labRows(m) {
		row(r.name, r.cells[:])
	}
	line()
	for i := range m.Ways {
		if f := w.finding(m, &m.Ways[i]); f != "" {
			line("- **", w.way(m.Ways[i].Via), "**: ", f)
		}
	}
	for _, n := range w.labNotes(m) {
		line()
		line(n)
	}
	return b.String()
}
