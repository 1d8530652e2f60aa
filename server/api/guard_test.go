package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzHost: a name that is let in is one of those that were given, or the address that was dialed, in whatever
// spelling; never one more letter.
func FuzzHost(f *testing.F) {
	outside := &url.URL{Scheme: "https", Host: "chat.example.org"}
	s := &Server{hosts: hostSet([]string{"localhost:8080"}, outside)}
	for _, h := range []string{"", "localhost:8080", "LOCALHOST:8080", "chat.example.org", "chat.example.org:443", "chat.example.org.", "192.0.2.1:8080", "192.0.2.1", "[::ffff:192.0.2.1]:8080", "[::ffff:c000:201]:8080",
		"192.0.2.01:8080", "0xc0000201:8080", "3221225985:8080", "192.0.2.1:08080", "192.0.2.1:8080@evil", "evil:8080", "[::1%25lo]:8080", "[192.0.2.1]:8080", "192.0.2.1:8080\x00", "chat.example.org/", "\u212aat.example.org"} {
		f.Add(h)
	}
	dialed := netip.MustParseAddrPort("192.0.2.1:8080")
	f.Fuzz(func(t *testing.T, host string) {
		ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(net.TCPAddrFromAddrPort(dialed)))
		r := (&http.Request{Host: host, Header: http.Header{}}).WithContext(ctx)
		if !s.allowed(r) || slices.Contains([]string{"localhost:8080", "chat.example.org"}, strings.ToLower(host)) {
			return
		}
		a, err := net.ResolveTCPAddr("tcp", host) // another reader of the same; of an address it asks nobody
		if strings.Trim(host, "[]:.0123456789abcdefABCDEF") != "" || err != nil || a.AddrPort().Port() != 8080 || a.AddrPort().Addr().Unmap() != dialed.Addr() {
			t.Errorf("%q is let in", host)
		}
	})
}

// FuzzForwarded: what proxies say is an address, and is heard from those who are trusted alone.
func FuzzForwarded(f *testing.F) {
	s := &Server{Options: Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}}
	for _, h := range []string{"", "192.0.2.1", "192.0.2.1, 10.0.0.2", "10.0.0.2, 192.0.2.1", ",,,", "x", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "192.0.2.1:80", "[::1]", "\"192.0.2.1\"", "10.0.0.1,10.0.0.2", strings.Repeat("10.0.0.1,", 500) + "192.0.2.7", "for=192.0.2.1", "192.0.2.1\x00"} {
		f.Add(h, "https")
	}
	f.Fuzz(func(t *testing.T, forwarded, proto string) {
		for peer, trusted := range map[string]bool{"10.0.0.9:1": true, "192.0.2.9:1": false, "[::1]:1": true} {
			r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwarded}, "X-Forwarded-Proto": {proto}}}
			ip, secure := s.origin(r)
			from := netip.MustParseAddrPort(peer).Addr()
			if !ip.IsValid() || ip.Zone() != "" || ip.Is4In6() || !trusted && (ip != from || secure) || secure && proto != "https" {
				t.Errorf("%q and %q from %s: %v, secure %v", forwarded, proto, peer, ip, secure)
			}
			if ip != from && !strings.Contains(forwarded, "%") && !named(forwarded, ip) {
				t.Errorf("%q from %s: %v, which it does not name", forwarded, peer, ip)
			}
		}
	})
}

// named reports whether one of the parts of a list is the address.
func named(list string, ip netip.Addr) bool {
	for part := range strings.SplitSeq(list, ",") {
		if a, err := netip.ParseAddr(strings.TrimSpace(part)); err == nil && a.Unmap() == ip {
			return true
		}
	}
	return false
}
