// Package curves measures what things cost while a server grows: in rooms, in members of a room, in history, in
// people who come at once.
//
// What is measured is the hub over the real store, in this process and without a network; how the server starts and what it
// holds is asked of the real binary. Each figure is a median of many calls, except where it is of a stretch of appends.
package curves

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Options of Run.
type Options struct {
	Dir      string                               // where databases are made: on a disk
	Binary   string                               // the server
	History  int                                  // how many events the longest history has
	Resident func(pid int) (kib int64, err error) // memory of a process
	Progress func(format string, args ...any)     // told before each row
}

// A curve makes its tables in a directory of its own.
type curve struct {
	name    string
	measure func(ctx context.Context, o Options, dir string) ([]Table, error)
}

func all() []curve {
	return []curve{{"rooms", filled(rooms)}, {"members", filled(members)}, {"crowd", filled(crowd)}, {"history", history}}
}

// filled is a curve over one store that is filled further for each row.
func filled(f func(context.Context, Options, *world) ([]Table, error)) func(context.Context, Options, string) ([]Table, error) {
	return func(ctx context.Context, o Options, dir string) (tables []Table, err error) {
		err = inside(ctx, data(dir), func(w *world) error {
			tables, err = f(ctx, o, w)
			return err
		})
		return tables, err
	}
}

// Names are those of all curves, in the order in which they are measured.
func Names() []string {
	var names []string
	for _, c := range all() {
		names = append(names, c.name)
	}
	return names
}

// Run measures the curves of these names and hands over each table when it is whole.
func Run(ctx context.Context, o Options, names []string, done func(Table) error) error {
	for _, c := range all() {
		if !slices.Contains(names, c.name) {
			continue
		}
		dir, err := os.MkdirTemp(o.Dir, c.name)
		if err != nil {
			return err
		}
		tables, err := c.measure(ctx, o, dir)
		if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		for _, t := range tables {
			if err := done(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// decades are 1, 10, 100 … from the first to the last, which ends them whatever it is.
func decades(first, last int) []int {
	var list []int
	for n := first; n < last; n *= 10 {
		list = append(list, n)
	}
	return append(list, last)
}

// data is where package child keeps the data of a server in dir.
func data(dir string) string { return filepath.Join(dir, "data") }
