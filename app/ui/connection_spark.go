package ui

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// A spark is a small picture of how a number went. Its width stands for a span of
// time that ends now, its height for the highest value.
type spark struct {
	of    string // what it shows, for those who do not see it
	lines []sparkLine
	bars  bool
	least float64 // the height stands for this much at least, so that nothing looks like a mountain
}

// A sparkLine is one number; a negative value is none.
type sparkLine struct {
	class  string
	values []float64
}

const (
	sparkWidth  = 240
	sparkHeight = 48
)

// top is the highest value.
func (s spark) top() float64 {
	var top float64
	for _, l := range s.lines {
		for _, v := range l.values {
			top = max(top, v)
		}
	}
	return top
}

func (s spark) draw() app.UI {
	scale := (sparkHeight - 4) / max(s.top(), s.least)
	shapes := make([]app.UI, 0, len(s.lines))
	for _, l := range s.lines {
		shape := app.Elem("polyline").XMLNS(svgNS).Attr("class", l.class).Attr("points", points(l.values, scale))
		if s.bars {
			shape = app.Elem("path").XMLNS(svgNS).Attr("class", l.class).Attr("d", bars(l.values, scale))
		}
		shapes = append(shapes, shape)
	}
	return app.Elem("svg").XMLNS(svgNS).Attr("class", "spark").Attr("viewBox", "0 0 "+itoa(sparkWidth)+" "+itoa(sparkHeight)).
		Attr("preserveAspectRatio", "none").Attr("role", "img").Aria("label", s.of).Body(shapes...)
}

// points are the corners of a line through the values that there are. One value alone is a short line.
func points(values []float64, scale float64) string {
	var at []string
	last := ""
	for i, v := range values {
		if v >= 0 {
			last = coordinate(sparkHeight - 2 - v*scale)
			at = append(at, coordinate(across(i, len(values)))+","+last)
		}
	}
	if len(at) == 1 {
		x, _, _ := strings.Cut(at[0], ",")
		from, _ := strconv.ParseFloat(x, 64)
		at = append(at, coordinate(max(0, from-sparkWidth/60))+","+last)
	}
	return strings.Join(at, " ")
}

// bars are upright lines, one for each value above zero.
func bars(values []float64, scale float64) string {
	var b strings.Builder
	for i, v := range values {
		if v > 0 {
			b.WriteString("M" + coordinate(across(i, len(values))) + " " + itoa(sparkHeight) + "V" + coordinate(sparkHeight-max(2, v*scale)))
		}
	}
	return b.String()
}

// across is where the i-th of n values stands.
func across(i, n int) float64 { return (float64(i) + 0.5) * sparkWidth / float64(n) }

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
