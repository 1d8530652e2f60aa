package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of processor time in /proc, the same on every Linux that Go knows.
const tick = time.Second / 100

// processorTime is how much processor time a process has used.
func processorTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, ok := bytes.Cut(b, []byte(") ")) // the name before may have spaces
	fields := bytes.Fields(after)
	if !ok || len(fields) < 13 {
		return 0, errors.New("/proc has a stat in another form")
	}
	var sum time.Duration
	for _, f := range fields[11:13] { // user and system
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// residentKiB is how much memory of a process is resident.
func residentKiB(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, errors.New("/proc has a statm in another form")
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()) / 1024, err
}

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
