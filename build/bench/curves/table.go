package curves

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A Table is what things cost while one number grows.
type Table struct {
	Title   string   `json:"title"`
	Over    string   `json:"over"`    // what grows
	Columns []string `json:"columns"` // what is measured, with its unit
	Rows    []Row    `json:"rows"`
}

// A Row is what it costs at one size.
type Row struct {
	N      int       `json:"n"`
	Values []float64 `json:"values"` // one for each column
}

// A reading is one figure of a row.
type reading struct {
	what  string // with its unit
	value float64
}

// add adds a row. All rows read the same things in the same order.
func (t *Table) add(n int, readings ...reading) {
	row := Row{N: n}
	for i, r := range readings {
		if len(t.Rows) == 0 {
			t.Columns = append(t.Columns, r.what)
		}
		if t.Columns[i] != r.what {
			panic(fmt.Sprintf("a row reads %q where another read %q", r.what, t.Columns[i]))
		}
		row.Values = append(row.Values, r.value)
	}
	t.Rows = append(t.Rows, row)
}

// Print writes the table; beside each figure is how many times that of the row before it is.
func (t Table) Print(to io.Writer) error {
	fmt.Fprintf(to, "\n%s\n", t.Title)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, t.Over)
	for _, c := range t.Columns {
		fmt.Fprintf(w, "\t%s\t", c)
	}
	fmt.Fprintln(w)
	for i, row := range t.Rows {
		fmt.Fprint(w, row.N)
		for j, v := range row.Values {
			growth := ""
			if i > 0 && t.Rows[i-1].Values[j] > 0 {
				growth = fmt.Sprintf("×%.2f", v/t.Rows[i-1].Values[j])
			}
			fmt.Fprintf(w, "\t%s\t%s", figure(v), growth)
		}
		fmt.Fprintln(w, "\t")
	}
	return w.Flush()
}

// figure is x as a person reads it.
func figure(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.2f", x)
	}
}
