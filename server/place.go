package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"rsc.io/qr"
)

// A place is where a server can be found.
type place struct {
	hosts []string // by which requests may name it
	open  string   // the address on this machine
	near  string   // in the same network; "" when there is none
	main  string   // what to send people to
	slash string   // at the end of them, where there is a path in them
}

// newPlace says where a server that listens at addr is.
func newPlace(addr net.Addr, outside *url.URL) place {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil { // not TCP: only its outside name is known
		return place{open: addr.String(), main: addr.String()}
	}
	path := root(outside)
	port := strconv.Itoa(int(at.Port()))
	names := []string{"localhost", "127.0.0.1", "::1"}
	var near []netip.Addr
	if at.Addr().IsUnspecified() {
		near = neighbours()
		for _, a := range near {
			names = append(names, a.String())
		}
		if name, err := os.Hostname(); err == nil && name != "" {
			short, _, _ := strings.Cut(name, ".")
			names = append(names, name, short+".local")
		}
	} else {
		names = append(names, at.Addr().String())
	}
	var p place
	for _, n := range names {
		p.hosts = append(p.hosts, net.JoinHostPort(n, port))
		if port == "80" {
			p.hosts = append(p.hosts, strings.TrimSuffix(net.JoinHostPort(n, ""), ":"))
		}
	}
	here := "localhost"
	if a := at.Addr(); !a.IsUnspecified() && !a.IsLoopback() {
		here = a.String()
	}
	p.open = link(here, port) + path
	p.main = p.open
	if len(near) > 0 {
		p.near = link(near[0].String(), port)
		p.main = p.near
	}
	if outside != nil {
		p.near = ""
		p.main = outside.String()
	}
	if path != "" {
		p.slash = "/"
	}
	return p
}

func link(host, port string) string {
	if port == "80" {
		return "http://" + strings.TrimSuffix(net.JoinHostPort(host, ""), ":")
	}
	return "http://" + net.JoinHostPort(host, port)
}

// neighbours are the addresses of this machine that others can reach, private IPv4 first:
// those are the ones that work at home.
func neighbours() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then there is only localhost to tell
	}
	var first, then []netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		ip := p.Addr()
		switch {
		case err != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() || !ip.IsValid():
		case ip.Is4() && ip.IsPrivate():
			first = append(first, ip)
		default:
			then = append(then, ip)
		}
	}
	return append(first, then...)
}

// greet tells a person where the server is and, while it has no owner, how to become it.
func (p place) greet(w io.Writer, data, code string) {
	fmt.Fprintf(w, "\nparley %s, with its data in %s\n\n", version, data)
	fmt.Fprintf(w, "  Open     %s\n", p.open+p.slash)
	if p.near != "" {
		fmt.Fprintf(w, "  Network  %s\n", p.near)
	}
	if p.main != p.open && p.main != p.near {
		fmt.Fprintf(w, "  Outside  %s\n", p.main+p.slash)
	}
	if code != "" {
		setup := p.main + "/setup#" + code
		fmt.Fprintf(w, "  Set up   %s\n\nThis server has no owner yet. Open the first address on this machine, or the\nlast one anywhere, and choose a name and a password. The code works once.\n\n", setup)
		drawQR(w, setup)
	}
	fmt.Fprintln(w)
}

// drawQR draws text for the camera of a phone, two rows of squares in a line of characters.
func drawQR(w io.Writer, text string) {
	c, err := qr.Encode(text, qr.L)
	if err != nil {
		return // too long to be drawn; it is printed as well
	}
	const quiet = 2
	var b strings.Builder
	for y := -quiet; y < c.Size+quiet; y += 2 {
		b.WriteString("  ")
		for x := -quiet; x < c.Size+quiet; x++ {
			// Terminals are mostly dark: what is white on paper is drawn.
			b.WriteString([...]string{"█", "▄", "▀", " "}[bit(c.Black(x, y))+2*bit(c.Black(x, y+1))])
		}
		b.WriteByte('\n')
	}
	fmt.Fprint(w, b.String())
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
