package api

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"parley/server/auth"
)

// hostSet is what a request's Host may be, exactly.
func hostSet(hosts []string, u *url.URL) map[string]bool {
	set := make(map[string]bool)
	for _, h := range hosts {
		set[strings.ToLower(h)] = true
	}
	if u != nil {
		set[strings.ToLower(u.Host)] = true
	}
	return set
}

// allowed reports whether r names this server: by one of its hosts, or by the very
// address and port that was dialed, which no name elsewhere can stand for.
func (s *Server) allowed(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if s.hosts[host] {
		return true
	}
	named, err := netip.ParseAddrPort(host)
	if err != nil {
		a, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil {
			return false
		}
		named = netip.AddrPortFrom(a, 80)
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	dialed, err := netip.ParseAddrPort(local.String())
	return err == nil && named.Port() == dialed.Port() &&
		named.Addr().Unmap() == dialed.Addr().Unmap().WithZone("")
}

// origin says where r comes from, and whether by TLS. What proxies say counts only
// from those that are trusted.
func (s *Server) origin(r *http.Request) (ip netip.Addr, secure bool) {
	secure = r.TLS != nil
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, secure
	}
	ip = peer.Addr().Unmap().WithZone("")
	// Whoever names it as it is called on this machine came without a proxy, and without TLS.
	named := s.URL != nil && s.URL.Scheme == "https" && strings.EqualFold(r.Host, s.URL.Host)
	if !s.trusts(ip) {
		return ip, secure || named
	}
	switch r.Header.Get("X-Forwarded-Proto") {
	case "https":
		secure = true
	case "":
		secure = secure || named
	}
	// The nearest proxy wrote the last entry: go back while they are trusted.
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if ip = a.Unmap().WithZone(""); !s.trusts(ip) {
			break
		}
	}
	return ip, secure
}

func (s *Server) trusts(ip netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// visitor says whether the request is made on this machine itself: from loopback,
// to loopback, and by no proxy, which would be on this machine too.
func (x *exchange) visitor() auth.Visitor {
	v := auth.Visitor{IP: x.ip, Local: x.ip.IsLoopback()}
	for _, h := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via", "Cf-Connecting-Ip", "True-Client-Ip"} {
		v.Local = v.Local && len(x.r.Header[h]) == 0
	}
	host := (&url.URL{Host: x.r.Host}).Hostname()
	named, err := netip.ParseAddr(host)
	v.Local = v.Local && (strings.EqualFold(host, "localhost") || err == nil && named.IsLoopback())
	return v
}

// sameOrigin reports whether a browser made r for a page of this very server.
// Browsers say so by Sec-Fetch-Site or Origin; without TLS and for a plain GET, only by
// Referer, which no other page can make up.
func (x *exchange) sameOrigin() bool {
	if site, said := x.said("Sec-Fetch-Site"); said {
		return site == "same-origin"
	}
	self := "http://"
	if x.secure {
		self = "https://"
	}
	self += strings.ToLower(x.r.Host)
	if origin, said := x.said("Origin"); said {
		return origin == self
	}
	referer, _ := x.said("Referer")
	return strings.HasPrefix(referer, self+"/") && (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead)
}

// foreign reports whether a browser made r for a page of another site.
func (x *exchange) foreign() bool {
	_, site := x.said("Sec-Fetch-Site")
	_, origin := x.said("Origin")
	return (site || origin) && !x.sameOrigin()
}

func (x *exchange) said(header string) (string, bool) {
	v := x.r.Header[header]
	return strings.Join(v, ","), len(v) > 0
}

// The policy of every answer, around the address of the feed's socket.
const (
	cspFirst = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; " +
		"media-src 'self' blob:; font-src 'self'; connect-src 'self'"
	cspThen = "; worker-src 'self'; manifest-src 'self'; " +
		"form-action 'self'; base-uri 'none'; object-src 'none'; frame-src 'none'; frame-ancestors 'none'"
	cspLast = "; report-to csp"
)

// fixedHead is what every answer says alike. It is shared by all of them: nobody writes to these slices.
var fixedHead = http.Header{
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"same-origin"}, // to one's own pages it is proof of origin: see sameOrigin
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Permissions-Policy":           {"camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	"Cache-Control":                {"no-store, private"},
}

// setHead sets the headers that every answer has.
func (s *Server) setHead(h http.Header, host string, encrypted, allowed bool) {
	maps.Copy(h, fixedHead)
	socket, secure := " ws://"+host, ""
	if encrypted {
		// Without TLS this would send the page's own requests to where nobody listens.
		socket, secure = " wss://"+host, "; upgrade-insecure-requests"
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if !allowed { // the name in the request is not one to repeat
		socket = ""
	}
	h.Set("Content-Security-Policy", cspFirst+socket+cspThen+secure+cspLast)
	h.Set("Reporting-Endpoints", `csp="`+s.root+`/api/reports"`)
}
