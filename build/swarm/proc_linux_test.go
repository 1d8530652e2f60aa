package swarm

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// resident is how much memory of a process is resident, in KiB.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc has a statm in another form: %q", b)
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize() / 1024, err
}

// processor is how much processor time a process has used.
func processor(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, ok := bytes.Cut(b, []byte(") ")) // the name before may have spaces
	fields := bytes.Fields(after)
	if !ok || len(fields) < 13 {
		return 0, fmt.Errorf("/proc has a stat in another form: %q", b)
	}
	sum := 0
	for _, f := range fields[11:13] { // user and system
		n, err := strconv.Atoi(string(f))
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / 100, nil // the unit in /proc, the same on every Linux that Go knows
}

// files is how many file descriptors a process has open.
func files(pid int) (int, error) {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(list), err
}

// held reports whether the process that listens at addr, of IPv4, still has its end of the connection that comes from port.
// Nothing that the other end can see tells this, while it does not read: the end waits behind what was sent before.
func held(addr string, port int) (bool, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false, err
	}
	local, remote := fmt.Sprintf(":%04X", at.Port()), fmt.Sprintf(":%04X", port)
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// sl local remote state queues timer retransmits uid timeout inode …
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && strings.HasSuffix(fields[1], local) && strings.HasSuffix(fields[2], remote) && fields[9] != "0" {
			return true, nil
		}
	}
	return false, lines.Err()
}
