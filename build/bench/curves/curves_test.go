package curves

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestDecades(t *testing.T) {
	for _, d := range []struct {
		first, last int
		want        []int
	}{
		{1, 1, []int{1}},
		{10, 5_000, []int{10, 100, 1_000, 5_000}},
		{1_000, 1_000_000, []int{1_000, 10_000, 100_000, 1_000_000}},
	} {
		if got := decades(d.first, d.last); !slices.Equal(got, d.want) {
			t.Errorf("decades(%d, %d) = %v, want %v", d.first, d.last, got, d.want)
		}
	}
}

// TestPrint: beside each figure is what became of the one above it.
func TestPrint(t *testing.T) {
	table := Table{Title: "cups of tea", Over: "cups"}
	table.add(1, reading{"ms", 0}, reading{"KiB", 4})
	table.add(10, reading{"ms", 1.5}, reading{"KiB", 40.04})
	table.add(100, reading{"ms", 300.4}, reading{"KiB", 10})
	var b bytes.Buffer
	if err := table.Print(&b); err != nil {
		t.Fatal(err)
	}
	const want = `
cups of tea
  cups    ms            KiB
     1  0.00           4.00
    10  1.50           40.0  ×10.01
   100   300  ×200.27  10.0   ×0.25
`
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	if got := strings.Join(lines, "\n") + "\n"; got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}
