package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// pinned calls f, which starts a process, so that the process has one core to itself when there are several.
func pinned(core int, f func() error) error {
	if runtime.NumCPU() < 2 {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	only.Set(core)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return err
	}
	return errors.Join(f(), unix.SchedSetaffinity(0, &before))
}

// pinSelf keeps all threads of this process on one core.
func pinSelf(core int) error {
	var only unix.CPUSet
	only.Set(core)
	tasks, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(filepath.Base(t))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &only); err != nil {
			return err
		}
	}
	return nil
}

// fileSystem is the type of the file system that dir is on, such as "ext4".
func fileSystem(dir string) (string, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	kind, at := "", ""
	for line := range strings.Lines(string(mounts)) {
		before, after, ok := strings.Cut(line, " - ")
		place, what := strings.Fields(before), strings.Fields(after)
		if !ok || len(place) < 5 || len(what) < 1 {
			return "", errors.New("/proc has a mountinfo in another form")
		}
		// Of those that hold dir the innermost counts, and of those at one place the last.
		point := place[4]
		if in := point == "/" || dir == point || strings.HasPrefix(dir, point+"/"); in && len(point) >= len(at) {
			kind, at = what[0], point
		}
	}
	if kind == "" {
		return "", fmt.Errorf("no file system holds %s", dir)
	}
	return kind, nil
}
