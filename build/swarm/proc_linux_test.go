package swarm

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

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
