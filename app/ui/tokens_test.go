package ui

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// A colour is linear light, as contrast wants it.
type colour struct{ r, g, b float64 }

// oklch converts by the matrices of CSS Color 4.
func oklch(l, c, h float64) colour {
	a, b := c*math.Cos(h*math.Pi/180), c*math.Sin(h*math.Pi/180)
	cube := func(x float64) float64 { return x * x * x }
	lc, mc, sc := cube(l+0.3963377774*a+0.2158037573*b), cube(l-0.1055613458*a-0.0638541728*b), cube(l-0.0894841775*a-1.2914855480*b)
	clamp := func(x float64) float64 { return min(max(x, 0), 1) }
	return colour{
		clamp(4.0767416621*lc - 3.3077115913*mc + 0.2309699292*sc),
		clamp(-1.2684380046*lc + 2.6097574011*mc - 0.3413193965*sc),
		clamp(-0.0041960863*lc - 0.7034186147*mc + 1.7076147010*sc),
	}
}

// contrast is WCAG's.
func contrast(x, y colour) float64 {
	lum := func(c colour) float64 { return 0.2126*c.r + 0.7152*c.g + 0.0722*c.b }
	a, b := lum(x), lum(y)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// tokens reads the colours, light and dark.
func tokens(t *testing.T) map[string][2]colour {
	t.Helper()
	css, err := os.ReadFile("../../wasm/web/css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	one := `oklch\(([\d.]+) ([\d.]+) ([\d.]+)(?: / [\d.]+)?\)`
	found := regexp.MustCompile(`--([a-z-]+): light-dark\(`+one+`, `+one+`\)`).FindAllStringSubmatch(string(css), -1)
	out := map[string][2]colour{}
	for _, f := range found {
		if _, again := out[f[1]]; again {
			continue // an override for more contrast
		}
		var n [6]float64
		for i := range n {
			if n[i], err = strconv.ParseFloat(f[i+2], 64); err != nil {
				t.Fatal(err)
			}
		}
		// oklch(1 0 0) is written without a hue in no place, but chroma 0 needs none.
		out[f[1]] = [2]colour{oklch(n[0], n[1], n[2]), oklch(n[3], n[4], n[5])}
	}
	return out
}

// TestContrast holds every text to 4.5:1 on each ground it stands on, and what
// shows a control or a state to 3:1.
func TestContrast(t *testing.T) {
	all := tokens(t)
	if got := contrast(oklch(1, 0, 0), oklch(0, 0, 0)); math.Abs(got-21) > 0.01 {
		t.Fatalf("white on black is %.2f, so the sums are wrong", got)
	}
	grounds := []string{"surface", "surface-sunken", "surface-raised", "hover", "soft", "code"}
	check := func(front, ground string, least float64) {
		f, ok := all[front]
		g, ok2 := all[ground]
		if !ok || !ok2 {
			t.Errorf("--%s or --%s is not in tokens.css", front, ground)
			return
		}
		for i, scheme := range []string{"light", "dark"} {
			if got := contrast(f[i], g[i]); got < least {
				t.Errorf("%s: --%s on --%s is %.2f, want %.1f", scheme, front, ground, got, least)
			}
		}
	}
	for _, g := range grounds {
		for _, front := range []string{"text", "text-quiet", "accent-text"} {
			check(front, g, 4.5)
		}
		for _, front := range []string{"focus", "accent", "ok", "line-strong"} {
			check(front, g, 3)
		}
	}
	for _, p := range [][2]string{{"on-accent", "accent"}, {"on-accent", "accent-hover"}, {"on-bad", "bad"}, {"bad", "surface"}, {"bad", "hover"},
		{"bad", "surface-raised"}, {"warn", "surface"}, {"warn", "hover"}, {"text", "warn-soft"}, {"accent-text", "warn-soft"}, {"text", "bad-soft"}, {"accent-text", "bad-soft"}} {
		check(p[0], p[1], 4.5)
	}
	check("warn", "warn-soft", 3)
	check("bad", "bad-soft", 3)
}
