package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"parley/build/bench/curves"
	"parley/build/child"
)

// store measures what is about the store: -appends, -curves or both.
func (o options) store(ctx context.Context, dir string, stdout io.Writer) error {
	kind, err := fileSystem(dir)
	if err != nil {
		return err
	}
	if slices.Contains([]string{"tmpfs", "ramfs", "devtmpfs"}, kind) {
		return fmt.Errorf("%s is on %s, which is memory: choose a folder on a disk with -dir", filepath.Dir(dir), kind)
	}
	if o.binary == "" {
		o.binary = filepath.Join(dir, "parley")
		if err := child.Build(ctx, o.binary, ""); err != nil {
			return err
		}
	}
	figures := struct {
		Go         string         `json:"go"`
		Cores      int            `json:"cores"`
		FileSystem string         `json:"file_system"`
		Appends    []acks         `json:"appends,omitempty"`
		Curves     []curves.Table `json:"curves,omitempty"`
	}{Go: runtime.Version(), Cores: runtime.NumCPU(), FileSystem: kind}
	fmt.Fprintf(stdout, "SQLite in WAL mode, synchronous=FULL, on %s; %s, %d cores\n", kind, runtime.Version(), runtime.NumCPU())
	if o.appends {
		if figures.Appends, err = o.acknowledged(ctx, dir); err != nil {
			return err
		}
		if err := errors.Join(o.printAcks(stdout, figures.Appends), o.write(figures)); err != nil {
			return err
		}
	}
	return curves.Run(ctx, curves.Options{
		Dir: dir, Binary: o.binary, History: o.history, Resident: child.Resident,
		Progress: func(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) },
	}, o.curves, func(t curves.Table) error {
		figures.Curves = append(figures.Curves, t)
		return errors.Join(t.Print(stdout), o.write(figures))
	})
}
