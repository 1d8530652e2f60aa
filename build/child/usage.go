package child

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// These read what Linux tells of a process in /proc (proc(5)); elsewhere they fail.

// Resident is how much memory of a process is resident, in KiB.
func Resident(pid int) (int64, error) {
	fields, err := proc(pid, "statm", "", 2)
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()) / 1024, err
}

// Peak is how much memory of a process was resident at the most, in KiB.
func Peak(pid int) (int64, error) {
	fields, err := proc(pid, "status", "VmHWM:", 1)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(fields[0], 10, 64)
}

// tick is the unit of processor time in /proc, the same on every Linux that Go knows.
const tick = time.Second / 100

// Processor is how much processor time a process has used, for itself and in the system.
func Processor(pid int) (time.Duration, error) {
	fields, err := proc(pid, "stat", ") ", 13) // the name before may have spaces
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// proc is the fields of a file about a process that come after a mark, or all if that is "". There are n or more.
func proc(pid int, file, mark string, n int) ([]string, error) {
	path := fmt.Sprintf("/proc/%d/%s", pid, file)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	_, after, ok := strings.Cut(string(b), mark)
	fields := strings.Fields(after)
	if !ok || len(fields) < n {
		return nil, fmt.Errorf("%s has another form than is known", path)
	}
	return fields, nil
}
