package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// dates writes times as readers of a language do, by the browser's Intl, which
// knows the zone and its history; Go's tables of zones would weigh as much as
// the rest of the app.
type dates struct {
	w                *Words
	clock, day, full app.Value
}

func newDates(w *Words) *dates {
	d := &dates{w: w}
	if app.IsServer {
		return d
	}
	format := func(options map[string]any) app.Value {
		return app.Window().Get("Intl").Get("DateTimeFormat").New(w.Lang, options)
	}
	d.clock = format(map[string]any{"hour": "2-digit", "minute": "2-digit", "hourCycle": "h23"})
	d.day = format(map[string]any{"weekday": "long", "month": "long", "day": "numeric"})
	d.full = format(map[string]any{"year": "numeric", "month": "long", "day": "numeric", "hour": "2-digit", "minute": "2-digit", "hourCycle": "h23"})
	return d
}

func (d *dates) write(f app.Value, layout string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if f == nil {
		return t.Format(layout)
	}
	return f.Call("format", float64(t.UnixMilli())).String()
}

// Clock returns the time of day.
func (d *dates) Clock(t time.Time) string { return d.write(d.clock, "15:04", t) }

// Full returns date and time.
func (d *dates) Full(t time.Time) string { return d.write(d.full, "2 January 2006 15:04", t) }

// Day returns the day, as seen from now.
func (d *dates) Day(t, now time.Time) string {
	switch days(t, now) {
	case 0:
		return d.w.Row.Today
	case 1:
		return d.w.Row.Yesterday
	}
	return d.write(d.day, "Monday 2 January", t)
}

// Brief returns the time for a list: of day if that is today, else the day.
func (d *dates) Brief(t, now time.Time) string {
	if days(t, now) == 0 {
		return d.Clock(t)
	}
	return d.Day(t, now)
}

// days returns how many midnights lie between t and now.
func days(t, now time.Time) int {
	y, m, d := t.Local().Date()
	ny, nm, nd := now.Local().Date()
	return int(time.Date(ny, nm, nd, 0, 0, 0, 0, time.UTC).Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)).Hours() / 24)
}
